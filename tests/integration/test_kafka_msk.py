"""AWS_MSK_IAM: a pipeline owner's client.properties as it is, tokens that a strict verifier takes."""
import os
import shutil
import subprocess

import pytest
from harness import PATIENCE, SHARED, SLUICE, write_properties
from kafka_certificates import Certificates

pytest.importorskip("botocore", reason="no botocore: install the Debian package python3-boto3")
from fake_msk import Account, FakeMsk  # noqa: E402

KEY, SECRET = "AKIDEXAMPLE000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ROLE = "arn:aws:iam::123456789012:role/12471ce1b695-ec2-access-role"
MODULE = "software.amazon.msk.auth.iam.IAMLoginModule required"
TOPIC = "12471ce1b695.pin"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    made = Certificates(tmp_path_factory.mktemp("msk"))
    made.identity("broker", "DNS:localhost,IP:127.0.0.1")
    return made


@pytest.fixture
def account():
    return Account(KEY, SECRET, ROLE)


@pytest.fixture
def msk(account, certificates):
    with FakeMsk(account, certificates.path("broker.pem"), certificates.path("broker.key")) as fake:
        yield fake


def topics(msk, certificates, path, **environment):
    """The kafka-topics command of the owner, with a clean AWS environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    clean.update({"AWS_ENDPOINT_URL_STS": msk.sts, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
                  "HOME": certificates.folder, "SSL_CERT_FILE": certificates.path("ca.pem"), **environment})
    done = subprocess.run([SLUICE, "topics", "--bootstrap-server", msk.bootstrap, "--command-config", str(path),
                           "--list"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE,
                          check=False, env=clean)
    assert SECRET not in done.stdout
    return done.returncode, done.stdout


def properties(tmp_path, jaas, mechanism="AWS_MSK_IAM", **other):
    return write_properties(str(tmp_path / "client.properties"), {
        "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.jaas.config": jaas, **other})


def keys(secret=SECRET):
    return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": secret}


def test_the_owners_file(msk, account, certificates):
    path = os.path.join(SHARED, "data", "pinterest", "owner", "client.properties")
    if not os.path.exists(path):
        pytest.skip(f"no {path}")
    code, text = topics(msk, certificates, path, **keys())
    assert code == 0 and TOPIC in text, f"{text}\n{account.refusals}"
    assert account.sessions == [("aws-msk-iam-auth", None)] and not account.refusals
    assert account.accepted and set(account.accepted) & {KEY} == set()  # the role's key, not the user's


def test_role_with_all_options(msk, account, certificates, tmp_path):
    jaas = f'{MODULE} awsRoleArn="{ROLE}" awsRoleSessionName="etl" awsRoleExternalId="x1" awsStsRegion="eu-west-1";'
    code, text = topics(msk, certificates, properties(tmp_path, jaas), **keys())
    assert code == 0 and TOPIC in text, f"{text}\n{account.refusals}"
    assert account.sessions == [("etl", "x1")]


def test_role_by_given_keys(msk, account, certificates, tmp_path):
    jaas = (f'{MODULE} awsRoleArn="{ROLE}" awsRoleAccessKeyId="{KEY}" awsRoleSecretAccessKey="{SECRET}" '
            'awsRoleExternalId="x1";')
    code, text = topics(msk, certificates, properties(tmp_path, jaas))
    assert code == 0 and TOPIC in text, f"{text}\n{account.refusals}"
    assert account.sessions == [("aws-msk-iam-auth", None)]  # Amazon's module sends no external id then


def test_profile(msk, account, certificates, tmp_path):
    shared = tmp_path / "credentials"
    shared.write_text(f"[other]\naws_access_key_id = x\n[pins]\naws_access_key_id = {KEY}\n"
                      f"aws_secret_access_key = {SECRET}\n", encoding="utf-8")
    path = properties(tmp_path, MODULE + ' awsProfileName="pins";')
    code, text = topics(msk, certificates, path, AWS_SHARED_CREDENTIALS_FILE=str(shared))
    assert code == 0 and TOPIC in text, f"{text}\n{account.refusals}"
    assert set(account.accepted) == {KEY}


def test_the_oauthbearer_form(msk, account, certificates, tmp_path):
    """Amazon's other handler; the role is that of the login module's options."""
    jaas = f'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required awsRoleArn="{ROLE}";'
    path = properties(tmp_path, jaas, "OAUTHBEARER", **{
        "sasl.login.callback.handler.class": "software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler"})
    code, text = topics(msk, certificates, path, **keys())
    assert code == 0 and TOPIC in text, f"{text}\n{account.refusals}"


def test_faults(msk, account, certificates, tmp_path):
    plain = properties(tmp_path, MODULE + ";")
    code, text = topics(msk, certificates, plain, **keys("not-the-secret"))
    assert code == 3 and "Access denied: SignatureDoesNotMatch" in text, text
    code, text = topics(msk, certificates, plain)
    assert code == 3 and "no AWS credentials found" in text, text
    code, text = topics(msk, certificates, plain, AWS_REGION="", **keys())
    assert code == 3 and "the AWS region is not known" in text, text
    code, text = topics(msk, certificates, plain, AWS_REGION="eu-north-1", **keys())
    assert code == 3 and "not the host and path of MSK" in text, text
    alone = properties(tmp_path, MODULE + ' awsRoleArn="arn:aws:iam::1:role/no" awsAddDefaultProviders="false";')
    code, text = topics(msk, certificates, alone, **keys())
    assert code == 3 and "STS refuses role arn:aws:iam::1:role/no" in text and "AccessDenied" in text, text


def test_a_role_that_fails_gives_way(msk, account, certificates, tmp_path):
    """As Amazon's module does it; here it is said."""
    path = properties(tmp_path, MODULE + ' awsRoleArn="arn:aws:iam::1:role/no";')
    code, text = topics(msk, certificates, path, **keys())
    assert code == 0 and TOPIC in text, f"{text}\n{account.refusals}"
    assert "AWS credentials of environment are used, as others could not be had: STS refuses role" in text
    assert set(account.accepted) == {KEY}
