"""Real servers for the example: a Kafka broker and an S3 server that are started here and end with it."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SUPPORT = os.path.join(os.path.dirname(os.path.dirname(HERE)), "tests", "support")
REGION = "us-east-1"


def start(name, program):
    """Starts a program that prints one line when it serves and ends with its standard input; (process, words)."""
    process = subprocess.Popen([os.path.join(SUPPORT, program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    words = process.stdout.readline().split()
    if not words:
        print(f"{name} cannot be started; why stands above", file=sys.stderr)
        sys.exit(process.wait() or 3)
    print(f"{name}: {words[0]}", flush=True)
    return process, words


def kafka():
    """(process, address)"""
    process, (address, *_) = start("Kafka", "real_kafka.py")
    return process, address


def s3():
    """(process, URL); the credentials are put into the environment."""
    process, (url, key, secret) = start("S3", "minio.sh")
    os.environ.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
    return process, url


def s3_client(url):
    try:
        import boto3
    except ImportError:
        print("no boto3: install the Debian package python3-boto3", file=sys.stderr)
        sys.exit(3)
    return boto3.client("s3", endpoint_url=url, region_name=REGION)


def make_bucket(client, bucket):
    """As the owner made it; one that is there is taken as it is."""
    from botocore.exceptions import BotoCoreError, ClientError
    try:
        if bucket not in [each["Name"] for each in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError) as error:
        print(f"no bucket {bucket} at {client.meta.endpoint_url}: {error} (credentials: AWS_ACCESS_KEY_ID and "
              "AWS_SECRET_ACCESS_KEY, or as the AWS CLI finds them)", file=sys.stderr)
        sys.exit(3)


def end(process):
    """Those that were started by start() and others."""
    if process.stdin:
        process.stdin.close()
    elif process.poll() is None:
        process.terminate()
    process.wait()
