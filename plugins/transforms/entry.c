/* What transforms.so offers. */
#include "plugins/transforms/classes.h"

#define CLASSES(name) &name##_key, &name##_value

static const struct sluice_descriptor *const descriptors[] = {
    CLASSES(cast),
    &drop_headers,
    CLASSES(extract_field),
    &filter,
    CLASSES(flatten),
    CLASSES(header_from),
    CLASSES(hoist_field),
    CLASSES(insert_field),
    &insert_header,
    CLASSES(mask_field),
    &regex_router,
    CLASSES(replace_field),
    CLASSES(set_schema_metadata),
    CLASSES(timestamp_converter),
    &timestamp_router,
    &value_to_key,
    CLASSES(array_from_fields),
    CLASSES(concat_fields),
    CLASSES(convert_fields),
    CLASSES(expand_suffix),
    CLASSES(null_values),
    CLASSES(order_fields),
    CLASSES(parse_json),
    CLASSES(parse_time),
    CLASSES(replace_text),
    CLASSES(require_fields),
    CLASSES(trim_text),
    CLASSES(within),
    NULL,
};

SLUICE_PLUGIN(descriptors)
