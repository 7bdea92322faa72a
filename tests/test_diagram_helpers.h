/* Drawing diagrams in tests, and looking into the pictures. */
#ifndef FATE_TESTS_TEST_DIAGRAM_HELPERS_H
#define FATE_TESTS_TEST_DIAGRAM_HELPERS_H

#include <fate/diagram.h>

/* Writes the picture, which must be well-formed; returns what that returned. */
int test_draw(const fate_diagram *diagram);
/* The last picture, and the part of it that is seen: behind its description and its style. */
const char *test_svg(void);
const char *test_picture(void);

/* How often part is in text. */
size_t test_count(const char *text, const char *part);
/* Are the parts, with a NULL at the end, in text, one behind the other? */
bool test_has_in_order(const char *text, const char *const *parts);
#define EXPECT_IN_ORDER(text, ...) EXPECT(test_has_in_order(text, (const char *const[]){ __VA_ARGS__, NULL }))

#endif
