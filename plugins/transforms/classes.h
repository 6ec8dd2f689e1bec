/* Every class of transforms.so; each is defined by the macro of that name in its own file. */
#ifndef TRANSFORMS_CLASSES_H
#define TRANSFORMS_CLASSES_H

#include <sluice/plugin.h>

#define CLASS(name) extern const struct sluice_descriptor name
#define CLASSES(name)                                                                              \
    CLASS(name##_key);                                                                             \
    CLASS(name##_value)

/* Kafka Connect's */
CLASSES(cast);
CLASS(drop_headers);
CLASSES(extract_field);
CLASS(filter);
CLASSES(flatten);
CLASSES(header_from);
CLASSES(hoist_field);
CLASSES(insert_field);
CLASS(insert_header);
CLASSES(mask_field);
CLASS(regex_router);
CLASSES(replace_field);
CLASSES(set_schema_metadata);
CLASSES(timestamp_converter);
CLASS(timestamp_router);
CLASS(value_to_key);

/* sluice.transforms */
CLASSES(array_from_fields);
CLASSES(concat_fields);
CLASSES(convert_fields);
CLASSES(expand_suffix);
CLASSES(null_values);
CLASSES(order_fields);
CLASSES(parse_json);
CLASSES(parse_time);
CLASSES(replace_text);
CLASSES(require_fields);
CLASSES(trim_text);
CLASSES(within);

#undef CLASS
#undef CLASSES

#endif
