/* SPDX-License-Identifier: Apache-2.0 */
/* schema.json inside the binary, so that `ctrace show --json-schema` needs no file. The path is from the
 * top of the tree, where make runs the compiler. */
#include "exporters/json.h"

__asm__(".pushsection .rodata\n"
	".global json_schema\n"
	".type json_schema, %object\n"
	"json_schema:\n"
	".incbin \"exporters/schema.json\"\n"
	".byte 0\n"
	".size json_schema, . - json_schema\n"
	".popsection\n");
