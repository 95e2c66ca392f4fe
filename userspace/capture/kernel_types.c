/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/kernel_types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "capture/btf_view.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/map.h"

#define VMLINUX "/sys/kernel/btf/vmlinux"

/* A name that may be asked for, and the kernel's types that have it. */
struct wanted {
	bool is_local; /* the programs use it: part of the reduced types */
	uint32_t *ids;
	size_t count, capacity;
};

enum { BEGINNING = 4, FILTER_BITS = 1 << 16 };

struct kernel_types {
	struct btf_view btf;
	struct map names; /* name -> struct wanted */
	struct map members; /* names that members of the programs' types have; the values say nothing */
	uint64_t filter[FILTER_BITS / 64]; /* a bit for each beginning that a wanted name has: few of the kernel's do */
};

/* ---- the index ---- */

static uint32_t filter_bit(const char *name, size_t length)
{
	uint32_t beginning = 0;

	for (size_t i = 0; i < BEGINNING && i < length && name[i]; i++)
		beginning = beginning << 8 | (unsigned char)name[i];
	return beginning * 2654435761u / (UINT32_MAX / FILTER_BITS + 1); /* Fibonacci hashing */
}

static bool may_be_wanted(const struct kernel_types *t, const char *name)
{
	uint32_t bit = filter_bit(name, BEGINNING);

	return t->filter[bit / 64] >> bit % 64 & 1;
}

static struct wanted *want(struct kernel_types *t, const char *name, size_t length)
{
	struct wanted *w = map_get(&t->names, name, length);

	if (!w) {
		w = xcalloc(1, sizeof(*w));
		map_put(&t->names, name, length, w);
		t->filter[filter_bit(name, length) / 64] |= UINT64_C(1) << filter_bit(name, length) % 64;
	}
	return w;
}

/* A flavour (struct mm_struct___old) stands for the kernel's type without its suffix. */
static size_t essential_length(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? (size_t)(flavour - name) : strlen(name);
}

static bool is_data_type(const struct btf_type *type)
{
	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_TYPEDEF:
		return true;
	}
	return false;
}

static void want_members(struct kernel_types *t, const struct btf *local, const struct btf_type *type)
{
	for (int i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(local, btf_members(type)[i].name_off);

		if (name && *name)
			map_put(&t->members, name, strlen(name), t);
	}
}

static void want_local(struct kernel_types *t, const struct btf *local)
{
	for (__u32 id = 1; id < btf__type_cnt(local); id++) {
		const struct btf_type *type = btf__type_by_id(local, id);
		const char *name = btf__name_by_offset(local, type->name_off);

		if (is_data_type(type) && name && *name)
			want(t, name, essential_length(name))->is_local = true;
		if (btf_is_composite(type))
			want_members(t, local, type);
	}
}

static void take_name(void *arg, uint32_t id, const struct btf_type *type)
{
	struct kernel_types *t = arg;
	const char *name;
	struct wanted *w;

	if (!is_data_type(type) && btf_kind(type) != BTF_KIND_FUNC)
		return;
	name = btf_view_string(&t->btf, type->name_off);
	w = may_be_wanted(t, name) ? map_get(&t->names, name, strlen(name)) : NULL;
	if (!w)
		return;
	array_grow(w->ids, w->count, w->capacity);
	w->ids[w->count++] = id;
}

/* of is a negative errno. */
static int unreadable(int of, struct error *err)
{
	return error_errno(err, -of, "the kernel's type information cannot be read "
		"(" VMLINUX "; CONFIG_DEBUG_INFO_BTF makes it)");
}

int kernel_types_open(struct kernel_types **ret_types, struct error *err)
{
	struct kernel_types *t = xcalloc(1, sizeof(*t));
	int r = btf_view_open(VMLINUX, &t->btf);

	if (r < 0) {
		kernel_types_free(t);
		return unreadable(r, err);
	}
	*ret_types = t;
	return 0;
}

bool kernel_types_has_name(const struct kernel_types *t, const char *name)
{
	return memmem(t->btf.strings, t->btf.strings_size, name, strlen(name) + 1) != NULL;
}

int kernel_types_index(struct kernel_types *t, const struct btf *local, const char *const *more, struct error *err)
{
	int r;

	want_local(t, local);
	for (; *more; more++)
		want(t, *more, strlen(*more));
	r = btf_view_walk(&t->btf, take_name, t);
	return r < 0 ? unreadable(r, err) : 0;
}

void kernel_types_free(struct kernel_types *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->names.count; i++) {
		struct wanted *w = t->names.entries[i].value;

		free(w->ids);
		free(w);
	}
	map_free(&t->names);
	map_free(&t->members);
	btf_view_close(&t->btf);
	free(t);
}

int kernel_types_find(const struct kernel_types *t, const char *name, uint32_t kind)
{
	const struct wanted *w = map_get(&t->names, name, strlen(name));

	for (size_t i = 0; w && i < w->count; i++) {
		if (btf_kind(btf_view_type(&t->btf, w->ids[i])) == kind)
			return (int)w->ids[i];
	}
	return -1;
}

bool kernel_types_has_member(const struct kernel_types *t, const char *structure, const char *member)
{
	int id = kernel_types_find(t, structure, BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf_view_type(&t->btf, id) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		if (strcmp(btf_view_string(&t->btf, btf_members(type)[i].name_off), member) == 0)
			return true;
	}
	return false;
}

uint32_t kernel_types_enumerator(const struct kernel_types *t, const char *enumeration, const char *name,
	uint32_t otherwise)
{
	int id = kernel_types_find(t, enumeration, BTF_KIND_ENUM);
	const struct btf_type *type = id > 0 ? btf_view_type(&t->btf, id) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		if (strcmp(btf_view_string(&t->btf, btf_enum(type)[i].name_off), name) == 0)
			return btf_enum(type)[i].val;
	}
	return otherwise;
}

/* ---- the reduced types ---- */

struct reduction {
	const struct kernel_types *types;
	const struct btf_view *from;
	struct btf *to;
	struct map copied; /* id in from -> id in to, as a pointer */
	int void_pointer;
};

static int copy_type(struct reduction *r, __u32 id);

static const char *name_of(const struct reduction *r, const struct btf_type *type)
{
	return btf_view_string(r->from, type->name_off);
}

/* libbpf finds members by their names, so only those matter which some type of the programs has, too: a dozen of the
 * hundreds in struct task_struct. What has no name may hold such a member. */
static bool may_be_used(const struct reduction *r, const struct btf_member *member)
{
	const char *name = btf_view_string(r->from, member->name_off);

	return !*name || map_get(&r->types->members, name, strlen(name));
}

/* A composite's members must follow it at once, so the types that it holds come first. */
static int copy_composite(struct reduction *r, const struct btf_type *type)
{
	size_t count = btf_vlen(type);
	_cleanup_free_ int *ids = xcalloc(count + 1, sizeof(*ids));
	int id, result = 0;

	for (size_t i = 0; i < count; i++) {
		ids[i] = may_be_used(r, &btf_members(type)[i]) ? copy_type(r, btf_members(type)[i].type) : 0;
		if (ids[i] < 0)
			return ids[i];
	}
	id = btf_is_struct(type) ? btf__add_struct(r->to, name_of(r, type), type->size)
				 : btf__add_union(r->to, name_of(r, type), type->size);
	for (size_t i = 0; i < count && id > 0 && result == 0; i++) {
		if (!ids[i]) /* no member is void: it was left out */
			continue;
		result = btf__add_field(r->to, btf_view_string(r->from, btf_members(type)[i].name_off), ids[i],
			btf_member_bit_offset(type, i), btf_member_bitfield_size(type, i));
	}
	return result < 0 ? result : id;
}

static int copy_enum(struct reduction *r, const struct btf_type *type)
{
	int id = btf__add_enum(r->to, name_of(r, type), type->size), result = 0;

	for (int i = 0; i < btf_vlen(type) && id > 0 && result == 0; i++)
		result = btf__add_enum_value(r->to, btf_view_string(r->from, btf_enum(type)[i].name_off),
			btf_enum(type)[i].val);
	return result < 0 ? result : id;
}

static int copy_enum64(struct reduction *r, const struct btf_type *type)
{
	int id = btf__add_enum64(r->to, name_of(r, type), type->size, btf_kflag(type)), result = 0;

	for (int i = 0; i < btf_vlen(type) && id > 0 && result == 0; i++)
		result = btf__add_enum64_value(r->to, btf_view_string(r->from, btf_enum64(type)[i].name_off),
			btf_enum64_value(&btf_enum64(type)[i]));
	return result < 0 ? result : id;
}

static int copy_array(struct reduction *r, const struct btf_type *type)
{
	int element = copy_type(r, btf_array(type)->type), index = copy_type(r, btf_array(type)->index_type);

	return element < 0 || index < 0 ? -EINVAL : btf__add_array(r->to, index, element, btf_array(type)->nelems);
}

static int copy_new(struct reduction *r, __u32 id)
{
	const struct btf_type *type = btf_view_type(r->from, id);
	int target;

	if (!type)
		return -EINVAL;
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		return btf__add_int(r->to, name_of(r, type), type->size, btf_int_encoding(type));
	case BTF_KIND_FLOAT:
		return btf__add_float(r->to, name_of(r, type), type->size);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return copy_composite(r, type);
	case BTF_KIND_ENUM:
		return copy_enum(r, type);
	case BTF_KIND_ENUM64:
		return copy_enum64(r, type);
	case BTF_KIND_ARRAY:
		return copy_array(r, type);
	case BTF_KIND_TYPEDEF:
		target = copy_type(r, type->type);
		return target < 0 ? target : btf__add_typedef(r->to, name_of(r, type), target);
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return copy_type(r, type->type);
	default: /* pointers, and what only they lead to */
		return r->void_pointer;
	}
}

static int copy_type(struct reduction *r, __u32 id)
{
	void *known = map_get_key(&r->copied, &id);
	int copy;

	if (id == 0)
		return 0; /* void */
	if (known)
		return (int)(intptr_t)known;
	copy = copy_new(r, id);
	if (copy > 0)
		map_put_key(&r->copied, &id, (void *)(intptr_t)copy);
	return copy;
}

static int copy_local(const struct kernel_types *t, struct reduction *r)
{
	r->void_pointer = btf__add_ptr(r->to, 0);
	if (r->void_pointer < 0)
		return r->void_pointer;
	for (size_t i = 0; i < t->names.count; i++) {
		const struct wanted *w = t->names.entries[i].value;

		for (size_t k = 0; w->is_local && k < w->count; k++) {
			int copy = is_data_type(btf_view_type(&t->btf, w->ids[k])) ? copy_type(r, w->ids[k]) : 0;

			if (copy < 0)
				return copy;
		}
	}
	return 0;
}

static int write_raw(const struct btf *btf, int fd)
{
	const char *data;
	__u32 size;

	data = btf__raw_data(btf, &size);
	if (!data)
		return -errno;
	for (__u32 done = 0; done < size;) {
		ssize_t n = write(fd, data + done, size - done);

		if (n < 0)
			return -errno;
		done += n;
	}
	return 0;
}

int kernel_types_reduce(const struct kernel_types *t, int fd, struct error *err)
{
	struct reduction reduction = { .types = t, .from = &t->btf, .to = btf__new_empty() };
	int r = reduction.to ? copy_local(t, &reduction) : -errno;

	if (r == 0)
		r = write_raw(reduction.to, fd);
	btf__free(reduction.to);
	map_free(&reduction.copied);
	if (r == -EFBIG)
		return error_set(err, EFBIG, "the kernel's type information does not fit into the caller's limit of a file's size: raise it "
			"(ulimit -f) to 1 MiB or more");
	return r < 0 ? error_errno(err, -r, "cannot reduce the kernel's type information") : 0;
}
