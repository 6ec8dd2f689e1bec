/*
 * PKCS12 on OpenSSL, bag by bag: PKCS12_parse() knows nothing of several certificates without keys,
 * nor of the attribute by which Java marks those it trusts.
 */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/keystore_priv.h"

/* Oracle's trustedKeyUsage: on every certificate that keytool stored as trusted. */
static const char trusted_oid[] = "2.16.840.1.113894.746875.1.1";

enum { DEPTH_MAX = 8 };

/* Certificates and keys of all bags, as found. */
struct bags {
    struct keystore_read *read;
    const char *password, *key_password;
    STACK_OF(X509) *all;   /* every certificate */
    bool *marked;          /* of all[i]: Java trusts it */
    bool *owned;           /* of all[i]: it names a key (localKeyID) */
    const ASN1_OCTET_STRING **ids;
    const PKCS12_SAFEBAG *key_bag; /* first key */
};

static const ASN1_OCTET_STRING *local_id(const PKCS12_SAFEBAG *bag)
{
    const ASN1_TYPE *id = PKCS12_SAFEBAG_get0_attr(bag, NID_localKeyID);
    return id && id->type == V_ASN1_OCTET_STRING ? id->value.octet_string : NULL;
}

static bool is_marked(const PKCS12_SAFEBAG *bag)
{
    const STACK_OF(X509_ATTRIBUTE) *attributes = PKCS12_SAFEBAG_get0_attrs(bag);
    for (int i = 0; i < sk_X509_ATTRIBUTE_num(attributes); i++) {
        char oid[64] = "";
        OBJ_obj2txt(oid, sizeof(oid),
                    X509_ATTRIBUTE_get0_object(sk_X509_ATTRIBUTE_value(attributes, i)), 1);
        if (strcmp(oid, trusted_oid) == 0) {
            return true;
        }
    }
    return false;
}

static int add_certificate(struct bags *bags, const PKCS12_SAFEBAG *bag)
{
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) {
        return 0;
    }
    X509 *certificate = PKCS12_SAFEBAG_get1_cert(bag);
    if (!certificate) {
        return keystore_fail(bags->read, "a certificate in it is damaged");
    }
    int at = sk_X509_num(bags->all);
    if (keystore_add(bags->read, bags->all, certificate) != 0) {
        return -1;
    }
    bags->marked[at] = is_marked(bag);
    bags->ids[at] = local_id(bag);
    bags->owned[at] = bags->ids[at] != NULL;
    return 0;
}

static int add_bags(struct bags *bags, const STACK_OF(PKCS12_SAFEBAG) *list, int depth)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(list); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(list, i);
        switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_keyBag:
        case NID_pkcs8ShroudedKeyBag:
            bags->key_bag = bags->key_bag ? bags->key_bag : bag;
            bags->read->key_count++;
            break;
        case NID_certBag:
            if (add_certificate(bags, bag) != 0) {
                return -1;
            }
            break;
        case NID_safeContentsBag:
            if (depth < DEPTH_MAX &&
                add_bags(bags, PKCS12_SAFEBAG_get0_safes(bag), depth + 1) != 0) {
                return -1;
            }
            break;
        default: /* secrets, revocation lists */
            break;
        }
    }
    return 0;
}

/* RC2 and its kin, which stores of JDK 8 and older use, are in a provider that nobody else loads. */
static bool load_legacy(void)
{
    return OSSL_PROVIDER_try_load(NULL, "legacy", 1) != NULL;
}

static STACK_OF(PKCS12_SAFEBAG) *decrypt(struct bags *bags, PKCS7 *safe)
{
    int length = bags->password ? (int)strlen(bags->password) : 0;
    STACK_OF(PKCS12_SAFEBAG) *list = PKCS12_unpack_p7encdata(safe, bags->password, length);
    if (!list && load_legacy()) {
        list = PKCS12_unpack_p7encdata(safe, bags->password, length);
    }
    return list;
}

/* The lists are kept until the end: bags point into them. */
static int open_safes(struct bags *bags, STACK_OF(PKCS7) *safes,
                      STACK_OF(PKCS12_SAFEBAG) **lists)
{
    for (int i = 0; i < sk_PKCS7_num(safes); i++) {
        PKCS7 *safe = sk_PKCS7_value(safes, i);
        int kind = OBJ_obj2nid(safe->type);
        if (kind == NID_pkcs7_data) {
            lists[i] = PKCS12_unpack_p7data(safe);
        } else if (kind == NID_pkcs7_encrypted) {
            if (!bags->password) {
                return keystore_fail(bags->read,
                                     "its certificates are encrypted, and no password is given");
            }
            lists[i] = decrypt(bags, safe);
        } else {
            return keystore_fail(bags->read, "it is protected by a public key, which is not "
                                             "supported");
        }
        if (!lists[i]) {
            return keystore_fail(bags->read, "its content cannot be decrypted: damaged, or by an "
                                             "algorithm that OpenSSL does not offer");
        }
        if (add_bags(bags, lists[i], 0) != 0) {
            return -1;
        }
    }
    return 0;
}

/* -- the key -- */

static PKCS8_PRIV_KEY_INFO *unlock(const PKCS12_SAFEBAG *bag, const char *password)
{
    PKCS8_PRIV_KEY_INFO *key = PKCS12_decrypt_skey(bag, password, (int)strlen(password));
    if (!key && load_legacy()) {
        key = PKCS12_decrypt_skey(bag, password, (int)strlen(password));
    }
    return key;
}

static int find_leaf(const struct bags *bags)
{
    const ASN1_OCTET_STRING *id = local_id(bags->key_bag);
    for (int i = 0; id && i < sk_X509_num(bags->all); i++) {
        if (bags->ids[i] && ASN1_OCTET_STRING_cmp(bags->ids[i], id) == 0) {
            return i;
        }
    }
    EVP_PKEY *key = EVP_PKCS82PKEY(bags->read->key); /* no id: the one that fits */
    int found = -1;
    for (int i = 0; key && found < 0 && i < sk_X509_num(bags->all); i++) {
        found = X509_check_private_key(sk_X509_value(bags->all, i), key) == 1 ? i : -1;
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    return found;
}

/* From the key's own certificate to its issuer, and so on. */
static int build_chain(const struct bags *bags)
{
    struct keystore_read *read = bags->read;
    int at = find_leaf(bags);
    while (at >= 0) {
        X509 *certificate = sk_X509_value(bags->all, at);
        X509_up_ref(certificate);
        if (keystore_add(read, read->chain, certificate) != 0) {
            return -1;
        }
        if (X509_check_issued(certificate, certificate) == X509_V_OK ||
            sk_X509_num(read->chain) > sk_X509_num(bags->all)) {
            break; /* self-signed; or a loop */
        }
        at = -1;
        for (int i = 0; at < 0 && i < sk_X509_num(bags->all); i++) {
            at = X509_check_issued(sk_X509_value(bags->all, i), certificate) == X509_V_OK ? i : -1;
        }
    }
    return 0;
}

static int take_key(struct bags *bags)
{
    struct keystore_read *read = bags->read;
    if (!bags->key_bag) {
        return 0; /* make_key() says so */
    }
    char *alias = PKCS12_get_friendlyname((PKCS12_SAFEBAG *)(uintptr_t)bags->key_bag);
    read->alias = alias ? strdup(alias) : NULL;
    OPENSSL_free(alias);
    if (PKCS12_SAFEBAG_get_nid(bags->key_bag) == NID_keyBag) {
        read->key = ASN1_item_dup(ASN1_ITEM_rptr(PKCS8_PRIV_KEY_INFO),
                                  PKCS12_SAFEBAG_get0_p8inf(bags->key_bag));
    } else {
        if (!bags->key_password) {
            return keystore_fail(read, "its key needs a password, and none is given");
        }
        read->key = unlock(bags->key_bag, bags->key_password);
        if (!read->key && bags->password) { /* keytool ignores a key's own password here */
            read->key = unlock(bags->key_bag, bags->password);
        }
        if (!read->key) {
            return keystore_fail(read, "Cannot recover key: the password of the key is wrong");
        }
    }
    return build_chain(bags);
}

/* -- what to trust -- */

/*
 * Java trusts what keytool marked, and the certificates of keys. A store that OpenSSL made has no
 * marks; Java finds nothing to trust in it, here all that belongs to no key is.
 */
static int take_trusted(struct bags *bags)
{
    struct keystore_read *read = bags->read;
    bool any_marked = false;
    for (int i = 0; i < sk_X509_num(bags->all); i++) {
        any_marked = any_marked || bags->marked[i];
    }
    for (int i = 0; i < sk_X509_num(bags->all); i++) {
        if (bags->marked[i] || bags->owned[i] || (!any_marked && !bags->key_bag)) {
            X509 *certificate = sk_X509_value(bags->all, i);
            X509_up_ref(certificate);
            if (keystore_add(read, read->trusted, certificate) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* -- all of it -- */

static int check_mac(struct keystore_read *read, PKCS12 *store)
{
    const char *password = read->options->password;
    if (!password || !PKCS12_mac_present(store)) {
        return 0;
    }
    if (PKCS12_verify_mac(store, password, (int)strlen(password)) == 1 ||
        (!*password && PKCS12_verify_mac(store, NULL, 0) == 1)) {
        return 0;
    }
    return keystore_fail(read, "keystore password was incorrect");
}

int keystore_pkcs12(struct keystore_read *read, const unsigned char *data, size_t size)
{
    const unsigned char *p = data;
    PKCS12 *store = d2i_PKCS12(NULL, &p, (long)size);
    if (!store) {
        return keystore_fail(read, "it is truncated or damaged: no PKCS12 store (%zu bytes)", size);
    }
    STACK_OF(PKCS7) *safes = NULL;
    STACK_OF(PKCS12_SAFEBAG) **lists = NULL;
    struct bags bags = {
        .read = read,
        .password = read->options->password,
        .key_password = keystore_key_password(read),
        .all = sk_X509_new_null(),
        .marked = calloc(KEYSTORE_ENTRIES_MAX, sizeof(bool)),
        .owned = calloc(KEYSTORE_ENTRIES_MAX, sizeof(bool)),
        .ids = calloc(KEYSTORE_ENTRIES_MAX, sizeof(*bags.ids)),
    };
    int result = -1, count = 0;
    if (!bags.all || !bags.marked || !bags.owned || !bags.ids) {
        (void)keystore_fail(read, "out of memory");
    } else if (check_mac(read, store) == 0) {
        safes = PKCS12_unpack_authsafes(store);
        count = sk_PKCS7_num(safes);
        lists = calloc(count > 0 ? (size_t)count : 1, sizeof(*lists));
        if (!safes || !lists) {
            (void)keystore_fail(read, "it is damaged: its content cannot be unpacked");
        } else if (open_safes(&bags, safes, lists) == 0) {
            result = read->options->want == KEYSTORE_KEY ? take_key(&bags) : take_trusted(&bags);
        }
    }
    for (int i = 0; lists && i < count; i++) {
        sk_PKCS12_SAFEBAG_pop_free(lists[i], PKCS12_SAFEBAG_free);
    }
    free(lists);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    sk_X509_pop_free(bags.all, X509_free);
    free(bags.marked);
    free(bags.owned);
    free(bags.ids);
    PKCS12_free(store);
    return result;
}
