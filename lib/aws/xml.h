/*
 * The little XML that AWS answers with: flat, without namespaces that matter, attributes, or DTDs.
 * A scanner, not a parser: it finds elements by name and decodes their text. No state, no allocation.
 */
#ifndef LIB_AWS_XML_H
#define LIB_AWS_XML_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Finds the next element of this local name in size bytes from *cursor on, sets its content (text
 * and child elements) and moves *cursor behind it. False: none.
 */
bool aws_xml_next(const char *xml, size_t size, size_t *cursor, const char *name,
                  const char **ret_content, size_t *ret_content_size);
/**
 * Copies the text of the first element of this name, entities decoded, cut to ret_size.
 * False, and "" in text, where there is none.
 */
bool aws_xml_text(const char *xml, size_t size, const char *name, char *text, size_t text_size);
/** Appends text to out with & < > " ' written as entities; out_size bounds it, false: it did not fit. */
bool aws_xml_escape(const char *text, char *out, size_t out_size);

#endif
