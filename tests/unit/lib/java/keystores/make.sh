#!/usr/bin/env bash
# Makes the stores of this folder anew (keytool of a JDK, openssl): tests read them, and their dates do not matter.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.jks ./*.p12 ./*.pem
k() { keytool -noprompt "$@" 2>/dev/null; }
k -genkeypair -alias ca -dname CN=ca -ext bc:c -keyalg EC -groupname secp256r1 -validity 36500 \
    -keystore ca.jks -storetype JKS -storepass storepass -keypass storepass
k -exportcert -rfc -alias ca -keystore ca.jks -storepass storepass > ca.pem
# an identity of two certificates, the key with a password of its own
k -genkeypair -alias client -dname CN=client -keyalg RSA -keysize 2048 -validity 36500 \
    -keystore client.jks -storetype JKS -storepass storepass -keypass keypass
k -certreq -alias client -keystore client.jks -storepass storepass -keypass keypass |
    k -gencert -rfc -alias ca -keystore ca.jks -storepass storepass -validity 36500 > client-cert.pem
k -importcert -alias ca -file ca.pem -keystore client.jks -storepass storepass
k -importcert -alias client -file client-cert.pem -keystore client.jks -storepass storepass -keypass keypass
k -delete -alias ca -keystore client.jks -storepass storepass
k -importkeystore -srckeystore client.jks -srcstorepass storepass -srckeypass keypass -srcalias client \
    -destkeystore client.p12 -deststoretype PKCS12 -deststorepass storepass -destkeypass storepass
k -J-Dkeystore.pkcs12.legacy -importkeystore -srckeystore client.jks -srcstorepass storepass -srckeypass keypass \
    -srcalias client -destkeystore client-legacy.p12 -deststoretype PKCS12 -deststorepass storepass -destkeypass storepass
# trust
k -importcert -alias ca -file ca.pem -keystore trust.jks -storetype JKS -storepass 'pass wörd€'
k -importcert -alias ca -file ca.pem -keystore trust.p12 -storetype PKCS12 -storepass storepass
openssl pkcs12 -export -nokeys -in ca.pem -out trust-openssl.p12 -passout pass:storepass
k -importkeystore -srckeystore ca.jks -srcstorepass storepass -destkeystore wrong.jceks.jks -deststoretype JCEKS -deststorepass storepass
# PEM
openssl pkcs12 -in client.p12 -passin pass:storepass -nocerts -nodes 2>/dev/null | openssl pkcs8 -topk8 -nocrypt > client-key.pem
openssl pkcs8 -topk8 -in client-key.pem -passout pass:keypass -out client-key-encrypted.pem
cat client-cert.pem ca.pem > client-chain.pem
openssl pkcs12 -export -in client-chain.pem -inkey client-key.pem -name openssl-client -out client-openssl.p12 -passout pass:storepass
