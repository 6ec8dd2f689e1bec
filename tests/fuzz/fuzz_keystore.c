/* Key stores of any bytes. First byte: what is wanted, type, passwords. The JKS digest is not in the way where no
 * password is given. */
#include <stdint.h>

#include "lib/java/keystore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[300];
    struct keystore store;
    if (size < 1) {
        return 0;
    }
    struct keystore_options options = {
        .want = data[0] & 1 ? KEYSTORE_TRUSTED : KEYSTORE_KEY,
        .type = data[0] & 2 ? "PEM" : "JKS",
        .password = data[0] & 4 ? "storepass" : NULL,
        .key_password = "keypass",
    };
    if (keystore_read(data + 1, size - 1, &options, &store, message, sizeof(message)) == 0) {
        keystore_finish(&store);
    }
    return 0;
}
