/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/btf_view.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

enum { BTF_VIEW_STRIDE = 32 };

/* ---- reading ---- */

/* sysfs gives a page for each read: mapping the file (since v6.15) spares a thousand of them. */
static int read_file(int fd, void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)to + done, size - done);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		done += n;
	}
	return 0;
}

static int get_file(struct btf_view *view, int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct btf_header))
		return -EINVAL;
	view->size = st.st_size;
	view->data = mmap(NULL, view->size, PROT_READ, MAP_PRIVATE, fd, 0);
	view->is_mapped = view->data != MAP_FAILED;
	if (view->is_mapped)
		return 0;
	view->data = xmalloc(view->size);
	return read_file(fd, view->data, view->size);
}

/* ---- the types ---- */

/* What follows a type's first twelve bytes; -1 for a kind that is not known here. */
static int64_t extra_size(const struct btf_type *type)
{
	int64_t n = btf_vlen(type);

	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * (int64_t)sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * (int64_t)sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * (int64_t)sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n * (int64_t)sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return n * (int64_t)sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	}
	return -1;
}

static int64_t size_of(const struct btf_type *type)
{
	int64_t extra = extra_size(type);

	return extra < 0 ? extra : (int64_t)sizeof(*type) + extra;
}

static bool lies_within(const struct btf_view *view, uint64_t offset, uint64_t length)
{
	return offset <= view->size && length <= view->size - offset;
}

static int parse(struct btf_view *view)
{
	const struct btf_header *header = view->data;
	uint64_t types = (uint64_t)header->hdr_len + header->type_off, strings = (uint64_t)header->hdr_len + header->str_off;

	if (header->magic != BTF_MAGIC || header->version != BTF_VERSION || types % sizeof(__u32))
		return -EINVAL;
	if (!lies_within(view, types, header->type_len) || !lies_within(view, strings, header->str_len))
		return -EINVAL;
	view->types = (char *)view->data + types;
	view->types_size = header->type_len;
	view->strings = (char *)view->data + strings;
	view->strings_size = header->str_len;
	return view->strings_size == 0 || view->strings[view->strings_size - 1] ? -EINVAL : 0;
}

/* ---- */

int btf_view_open(const char *path, struct btf_view *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	*ret = (struct btf_view){ 0 };
	r = get_file(ret, fd);
	if (r == 0)
		r = parse(ret);
	if (r < 0)
		btf_view_close(ret);
	return r;
}

void btf_view_close(struct btf_view *view)
{
	if (view->is_mapped)
		munmap(view->data, view->size);
	else
		free(view->data);
	free(view->offsets);
	*view = (struct btf_view){ 0 };
}

int btf_view_walk(struct btf_view *view, btf_view_visit *visit, void *arg)
{
	size_t capacity = view->types_size / sizeof(struct btf_type) / BTF_VIEW_STRIDE + 1; /* most types are longer */

	free(view->offsets);
	view->offsets = xmalloc(capacity * sizeof(view->offsets[0]));
	view->count = 1;
	for (size_t at = 0; at < view->types_size;) {
		const struct btf_type *type = (const void *)(view->types + at);
		int64_t size = view->types_size - at >= sizeof(*type) ? size_of(type) : -1;

		if (size < 0 || view->types_size - at < (size_t)size) {
			view->count = 1;
			return -EINVAL;
		}
		if ((view->count - 1) % BTF_VIEW_STRIDE == 0)
			view->offsets[(view->count - 1) / BTF_VIEW_STRIDE] = at;
		visit(arg, view->count++, type);
		at += size;
	}
	return 0;
}

const struct btf_type *btf_view_type(const struct btf_view *view, uint32_t id)
{
	const char *at;

	if (id == 0 || id >= view->count)
		return NULL;
	at = view->types + view->offsets[(id - 1) / BTF_VIEW_STRIDE];
	for (uint32_t left = (id - 1) % BTF_VIEW_STRIDE; left; left--)
		at += size_of((const void *)at);
	return (const void *)at;
}

const char *btf_view_string(const struct btf_view *view, uint32_t offset)
{
	return offset < view->strings_size ? view->strings + offset : "";
}
