/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/invent_name.h"

#include <stdint.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/hash.h"

enum { PLAIN_TRIES = 8 };

static const char *const adjectives[] = {
	"admiring", "adoring", "agitated", "amazing", "angry", "awesome", "beautiful", "blissful", "bold",
	"boring", "brave", "busy", "charming", "clever", "compassionate", "competent", "condescending",
	"confident", "cool", "cranky", "crazy", "dazzling", "determined", "distracted", "dreamy", "eager",
	"ecstatic", "elastic", "elated", "elegant", "eloquent", "epic", "exciting", "fervent", "festive",
	"flamboyant", "focused", "friendly", "frosty", "funny", "gallant", "gifted", "goofy", "gracious",
	"great", "happy", "hardcore", "heuristic", "hopeful", "hungry", "infallible", "inspiring",
	"intelligent", "interesting", "jolly", "jovial", "keen", "kind", "laughing", "loving", "lucid",
	"magical", "modest", "musing", "mystifying", "naughty", "nervous", "nice", "nifty", "nostalgic",
	"objective", "optimistic", "peaceful", "pedantic", "pensive", "practical", "priceless", "quirky",
	"quizzical", "recursing", "relaxed", "reverent", "romantic", "sad", "serene", "sharp", "silly",
	"sleepy", "stoic", "strange", "stupefied", "suspicious", "sweet", "tender", "thirsty", "trusting",
	"unruffled", "upbeat", "vibrant", "vigilant", "vigorous", "wizardly", "wonderful", "xenodochial",
	"youthful", "zealous", "zen"
};

static const char *const scientists[] = {
	"agnesi", "albattani", "allen", "almeida", "archimedes", "ardinghelli", "babbage", "banach",
	"bardeen", "bartik", "bassi", "bell", "benz", "bhabha", "blackwell", "bohr", "boyd",
	"brahmagupta", "brattain", "brown", "carson", "cerf", "chandrasekhar", "chaplygin", "chebyshev",
	"clarke", "cohen", "cori", "cray", "curie", "curran", "darwin", "davinci", "dewdney", "dijkstra",
	"dirac", "dubinsky", "easley", "edison", "einstein", "elion", "engelbart", "euclid", "euler",
	"faraday", "fermat", "fermi", "feynman", "franklin", "galileo", "gates", "gauss", "germain",
	"goldberg", "goldwasser", "goodall", "greider", "hamilton", "haslett", "hawking", "heisenberg",
	"hellman", "hermann", "hertz", "hodgkin", "hoover", "hopper", "hypatia", "jackson", "jang",
	"jemison", "jennings", "johnson", "joliot", "jones", "kalam", "kare", "keldysh", "keller",
	"kepler", "khayyam", "khorana", "kilby", "kirch", "knuth", "kowalevski", "lalande", "lamarr",
	"lamport", "leakey", "leavitt", "lederberg", "lewin", "lichterman", "liskov", "lovelace",
	"lumiere", "mahavira", "margulis", "matsumoto", "maxwell", "mayer", "mccarthy", "mcclintock",
	"mclaren", "mclean", "mcnulty", "meitner", "mendel", "mendeleev", "merkle", "mestorf", "moore",
	"morse", "murdock", "napier", "nash", "neumann", "newton", "nightingale", "nobel", "noether",
	"northcutt", "noyce", "panini", "pare", "pascal", "pasteur", "payne", "perlman", "pike",
	"poincare", "poitras", "proskuriakova", "ptolemy", "raman", "ramanujan", "rhodes", "ride",
	"ritchie", "robinson", "roentgen", "rosalind", "rubin", "saha", "sammet", "sanderson", "shannon",
	"shaw", "shirley", "shockley", "shtern", "sinoussi", "snyder", "solomon", "spence", "stonebraker",
	"sutherland", "swanson", "swartz", "swirles", "tesla", "tharp", "thompson", "torvalds", "tu",
	"turing", "varahamihira", "vaughan", "villani", "visvesvaraya", "volhard", "wescoff", "wilbur",
	"wiles", "williams", "williamson", "wilson", "wing", "wozniak", "wright", "wu", "yalow", "yonath",
	"zhukovsky"
};

char *invent_name(const char *id, unsigned try)
{
	uint64_t hash = fnv1a(FNV1A_BASIS + try * 0x9e3779b97f4a7c15ULL, id);
	const char *adjective, *scientist;

	adjective = adjectives[(hash >> 32) % ARRAY_SIZE(adjectives)];
	scientist = scientists[(hash & 0xffffffff) % ARRAY_SIZE(scientists)];
	/* docker's own rule; Steve Wozniak is not boring */
	if (!strcmp(adjective, "boring") && !strcmp(scientist, "wozniak"))
		adjective = "happy";
	if (try < PLAIN_TRIES)
		return xasprintf("%s_%s", adjective, scientist);
	return xasprintf("%s_%s%u", adjective, scientist, (unsigned)(hash >> 20) % 1000);
}
