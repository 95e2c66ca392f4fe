/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/pull.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "engine/image/digest.h"
#include "engine/image/layer.h"
#include "engine/image/origin.h"
#include "engine/image/references.h"
#include "engine/image/image_settings.h"
#include "engine/image/staging.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

enum { RETRIES_MAX = 3 };

#define DISK_RESERVE (16ULL << 20) /* bytes that a pull leaves free */
#define OBSERVE_MS 100

struct job {
	struct layer_progress progress;
	_Atomic int state;
	bool exists;
};

struct pull {
	struct store *store;
	const struct pull_options *options;
	const struct source *source;
	struct origin *origin;
	struct staging staging;
	struct image_plan plan;
	char **chains; /* hex */
	bool *fresh;
	struct unpacked *unpacked;
	struct job *jobs;
	size_t count;
	uint64_t limit; /* bytes that the file system has left for one layer */

	atomic_bool stop; /* the user's wish, or a layer has failed */
	atomic_size_t next;
	pthread_mutex_t mutex;
	pthread_cond_t finished;
	size_t running; /* workers; guarded by mutex, as the rest */
	int result;
	struct error error;
};

void pull_result_free(struct pull_result *r)
{
	free(r->id);
	free(r->digest);
	*r = (struct pull_result){ 0 };
}

/* ---- one layer ---- */

static int feed_layer(void *arg, const void *bytes, size_t length)
{
	return layer_feed(arg, bytes, length);
}

static int pull_layer(struct pull *p, struct http *http, size_t i, struct error *err)
{
	const struct descriptor *d = &p->plan.manifest.layers[i];
	_cleanup_close_ int fd = staging_layer(&p->staging, i, err);
	struct error problem = { 0 };
	struct layer *layer;
	int r;

	if (fd < 0)
		return fd;
	atomic_store(&p->jobs[i].state, PULL_DOWNLOADING);
	layer = layer_begin(fd, d, p->plan.config.diff_ids[i], p->limit, &p->jobs[i].progress);
	r = origin_layer(p->origin, http, &p->plan, i, feed_layer, layer, &problem);
	atomic_store(&p->jobs[i].state, PULL_EXTRACTING);
	/* A cancelled transfer that nobody asked to stop was stopped by the layer: it knows why. */
	if (r == 0 || (r == -ECANCELED && !atomic_load(&p->stop)))
		return layer_end(layer, true, &p->unpacked[i], err);
	layer_end(layer, false, &p->unpacked[i], NULL);
	*err = problem;
	return r;
}

static void note_failure(struct pull *p, size_t i, int result, const struct error *problem)
{
	atomic_store(&p->jobs[i].state, PULL_FAILED);
	pthread_mutex_lock(&p->mutex);
	if (p->result == 0) {
		p->result = result;
		p->error = *problem;
	}
	pthread_mutex_unlock(&p->mutex);
	atomic_store(&p->stop, true);
}

static void *worker_main(void *arg)
{
	struct pull *p = arg;
	struct http *http = http_new(p->options->settings, &p->stop);
	size_t i;

	while (!atomic_load(&p->stop) && (i = atomic_fetch_add(&p->next, 1)) < p->count) {
		struct error problem = { 0 };
		int r;

		if (p->jobs[i].exists)
			continue;
		r = pull_layer(p, http, i, &problem);
		if (r < 0)
			note_failure(p, i, r, &problem);
		else
			atomic_store(&p->jobs[i].state, PULL_COMPLETE);
	}
	http_free(http);
	pthread_mutex_lock(&p->mutex);
	p->running--;
	pthread_cond_signal(&p->finished);
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* ---- all layers ---- */

static void observe(struct pull *p)
{
	_cleanup_free_ struct pull_layer *layers = NULL;

	if (!p->options->observe)
		return;
	layers = xcalloc(p->count, sizeof(*layers));
	for (size_t i = 0; i < p->count; i++) {
		const struct descriptor *d = &p->plan.manifest.layers[i];

		layers[i] = (struct pull_layer){
			.digest = d->digest ? d->digest : p->plan.config.diff_ids[i],
			.size = d->size,
			.fed = atomic_load(&p->jobs[i].progress.fed),
			.unpacked = atomic_load(&p->jobs[i].progress.unpacked),
			.state = (enum pull_state)atomic_load(&p->jobs[i].state),
		};
	}
	p->options->observe(p->options->arg, layers, p->count);
}

static void wait_for_workers(struct pull *p)
{
	pthread_mutex_lock(&p->mutex);
	while (p->running) {
		struct timespec until = clock_deadline(OBSERVE_MS);

		pthread_cond_clockwait(&p->finished, &p->mutex, CLOCK_MONOTONIC, &until);
		pthread_mutex_unlock(&p->mutex);
		if (atomic_load(p->options->cancel))
			atomic_store(&p->stop, true);
		observe(p);
		pthread_mutex_lock(&p->mutex);
	}
	pthread_mutex_unlock(&p->mutex);
}

static int pull_layers(struct pull *p, struct error *err)
{
	pthread_t workers[PULL_PARALLEL_MAX];
	size_t fresh = 0, started = 0;

	for (size_t i = 0; i < p->count; i++)
		fresh += !p->jobs[i].exists;
	observe(p);
	p->running = fresh < PULL_PARALLEL_MAX ? fresh : PULL_PARALLEL_MAX;
	fresh = p->running;
	for (; started < fresh; started++)
		if (pthread_create(&workers[started], NULL, worker_main, p) != 0) {
			fputs("ctrace: cannot start a thread\n", stderr);
			_Exit(125);
		}
	wait_for_workers(p);
	while (started)
		pthread_join(workers[--started], NULL);
	if (p->result < 0) {
		if (err)
			*err = p->error;
		return p->result;
	}
	return atomic_load(p->options->cancel) ? error_set(err, ECANCELED, "cancelled") : 0;
}

/* ---- preparation ---- */

static void make_jobs(struct pull *p)
{
	char chain[DIGEST_SIZE], parent[DIGEST_SIZE];

	p->count = p->plan.config.count;
	p->chains = xcalloc(p->count + 1, sizeof(*p->chains));
	p->fresh = xcalloc(p->count, sizeof(*p->fresh));
	p->unpacked = xcalloc(p->count, sizeof(*p->unpacked));
	p->jobs = xcalloc(p->count, sizeof(*p->jobs));
	for (size_t i = 0; i < p->count; i++) {
		digest_chain(i ? parent : NULL, p->plan.config.diff_ids[i], chain);
		memcpy(parent, chain, sizeof(parent));
		p->chains[i] = xstrdup(chain + strlen("sha256:"));
		p->jobs[i].exists = staging_has_layer(p->store, p->chains[i]);
		p->fresh[i] = !p->jobs[i].exists;
		atomic_store(&p->jobs[i].state, p->fresh[i] ? PULL_WAITING : PULL_EXISTS);
	}
}

/* Refuses at once what cannot fit: unpacked layers are hardly ever smaller than their blobs. */
static int check_space(struct pull *p, struct error *err)
{
	struct statvfs fs;
	uint64_t free_bytes, wanted = 0;

	if (fstatvfs(store_root_fd(p->store), &fs) < 0)
		return error_errno(err, errno, "cannot ask for the free space of %s",
			store_root(p->store));
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	for (size_t i = 0; i < p->count; i++) {
		int64_t size = p->plan.manifest.layers[i].size;

		if (!p->fresh[i] || size <= 0)
			continue;
		if ((uint64_t)size > free_bytes - (wanted < free_bytes ? wanted : free_bytes))
			return error_set(err, ENOSPC, "no space left on device: %s has %llu MB free, the "
				"layers to pull are larger; free some space, or set CTRACE_ROOT to a "
				"larger file system", store_root(p->store),
				(unsigned long long)free_bytes >> 20);
		wanted += (uint64_t)size;
	}
	/* On a small file system the reserve must not be all there is. */
	p->limit = free_bytes - (free_bytes / 16 < DISK_RESERVE ? free_bytes / 16 : DISK_RESERVE);
	return 0;
}

static bool any_fresh(const struct pull *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->fresh[i])
			return true;
	return false;
}

static bool is_known_as(struct pull *p, const char *key, const char *digest)
{
	_cleanup_(store_image_free) struct store_image image = { 0 };
	char platform[100];

	platform_format(&p->plan.config.platform, platform);
	return store_find(p->store, key, platform, &image, NULL) == 0 && !strcmp(image.id, p->plan.id) &&
	       (!digest || !strcmp(image.digest, digest));
}

/* True when the store already says all of this. */
static bool is_up_to_date(struct pull *p)
{
	char *const *names = p->options->names;

	if (any_fresh(p))
		return false;
	if (!names)
		return is_known_as(p, p->source->key, p->plan.digest);
	for (; *names; names++)
		if (!is_known_as(p, *names, NULL))
			return false;
	return is_known_as(p, p->plan.id, NULL);
}

/* A single manifest is taken as it is, unless another platform was asked for in so many words. */
static int check_platform(struct pull *p, const struct platform *wish, struct error *err)
{
	char wanted[100], found[100];

	if (!p->options->platform || platform_match(wish, &p->plan.config.platform))
		return 0;
	return error_set(err, ENOENT, "its platform is %s, not %s",
		platform_format(&p->plan.config.platform, found), platform_format(wish, wanted));
}

static int prepare(struct pull *p, struct error *err)
{
	struct http *http = http_new(p->options->settings, p->options->cancel);
	struct platform wish;
	int scratch, r = platform_parse(p->options->platform, &wish, err);

	scratch = r < 0 ? -1 : staging_directory(&p->staging, "scratch", err);
	if (r == 0 && scratch < 0)
		r = scratch;
	if (r == 0 && p->options->archive)
		p->origin = origin_of_archive(p->source, p->options->archive);
	else if (r == 0)
		r = origin_open(p->options->settings, p->source, scratch, &p->origin, err);
	if (r == 0)
		r = origin_resolve(p->origin, http, &wish, &p->plan, err);
	http_free(http);
	if (r == 0)
		r = check_platform(p, &wish, err);
	if (r < 0)
		return r;
	make_jobs(p);
	return check_space(p, err);
}

static int run(struct pull *p, struct pull_result *ret, struct error *err)
{
	int r = prepare(p, err);

	if (r < 0)
		return r;
	ret->up_to_date = is_up_to_date(p);
	r = pull_layers(p, err);
	if (r == 0 && !ret->up_to_date) {
		struct staged_image image = { &p->plan, p->source, p->options->names, p->chains, p->count, p->fresh,
			p->unpacked };

		r = staging_settle(&p->staging, &image, err);
		if (r == 0)
			r = staging_commit(&p->staging, &image, err);
	}
	if (r < 0)
		return r;
	ret->id = xstrdup(p->plan.id);
	ret->digest = xstrdup(p->plan.digest);
	return 0;
}

static void release(struct pull *p)
{
	origin_close(p->origin);
	image_plan_free(&p->plan);
	for (size_t i = 0; i < p->count; i++) {
		free(p->chains[i]);
		unpacked_free(&p->unpacked[i]);
	}
	free(p->chains);
	free(p->fresh);
	free(p->unpacked);
	free(p->jobs);
	pthread_mutex_destroy(&p->mutex);
	pthread_cond_destroy(&p->finished);
	staging_end(&p->staging);
}

static int pull_once(struct store *store, const struct source *source,
	const struct pull_options *options, struct pull_result *ret, struct error *err)
{
	struct pull p = { .store = store, .options = options, .source = source };
	int r;

	pthread_mutex_init(&p.mutex, NULL);
	pthread_cond_init(&p.finished, NULL);
	r = staging_begin(store, &p.staging, err);
	if (r == 0)
		r = run(&p, ret, err);
	release(&p);
	return r;
}

int pull_image(struct store *store, const struct source *source, const struct pull_options *options,
	struct pull_result *ret, struct error *err)
{
	int r = store_collect(store, err);

	/* A layer that was here may go before the end, when somebody removes its image. */
	for (int i = 0; r == 0 && i < RETRIES_MAX; i++) {
		r = pull_once(store, source, options, ret, err);
		if (r != -ESTALE)
			return r;
		r = i + 1 < RETRIES_MAX ? 0 : r;
	}
	return r;
}
