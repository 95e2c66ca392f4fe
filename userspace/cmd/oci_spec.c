/* SPDX-License-Identifier: Apache-2.0 */
/* `ctrace oci spec`: a config.json to start from. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cmd/oci_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* docker's defaults, as far as they make sense without an image. */
static const char spec[] =
	"{\n\t\"ociVersion\": \"1.1.0\",\n"
	"\t\"process\": {\n\t\t\"terminal\": true,\n\t\t\"user\": {\"uid\": 0, \"gid\": 0},\n"
	"\t\t\"args\": [\"sh\"],\n"
	"\t\t\"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
	" \"TERM=xterm\"],\n\t\t\"cwd\": \"/\",\n"
	"\t\t\"capabilities\": {\n"
#define CAPS "[\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]"
	"\t\t\t\"bounding\": " CAPS ",\n\t\t\t\"effective\": " CAPS ",\n"
	"\t\t\t\"permitted\": " CAPS "\n\t\t},\n"
	"\t\t\"noNewPrivileges\": true\n\t},\n"
	"\t\"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
	"\t\"hostname\": \"ctrace\",\n"
	"\t\"mounts\": [\n"
	"\t\t{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},\n"
	"\t\t{\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
	" \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},\n"
	"\t\t{\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\","
	" \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\","
	" \"gid=5\"]},\n"
	"\t\t{\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},\n"
	"\t\t{\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},\n"
	"\t\t{\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]},\n"
	"\t\t{\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]}\n\t],\n"
	"\t\"linux\": {\n"
	"\t\t\"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},\n"
	"\t\t\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"},"
	" {\"type\": \"uts\"}, {\"type\": \"mount\"}],\n"
	"\t\t\"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\","
	" \"/proc/latency_stats\", \"/proc/timer_list\", \"/proc/timer_stats\", \"/proc/sched_debug\","
	" \"/sys/firmware\", \"/proc/scsi\"],\n"
	"\t\t\"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\","
	" \"/proc/sysrq-trigger\"]\n\t}\n}\n";

static json_object *one_mapping(unsigned host)
{
	json_object *list = json_object_new_array(), *map = json_object_new_object();

	json_object_object_add(map, "containerID", json_object_new_int(0));
	json_object_object_add(map, "hostID", json_object_new_int64(host));
	json_object_object_add(map, "size", json_object_new_int(1));
	json_object_array_add(list, map);
	return list;
}

static void add_namespace(json_object *linux_, const char *type)
{
	json_object *n = json_object_new_object();

	json_object_object_add(n, "type", json_object_new_string(type));
	json_object_array_add(json_object_object_get(linux_, "namespaces"), n);
}

static bool host_is_v2(void)
{
	struct statfs fs;

	return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* As runc: a cgroup namespace on v2 only, where the container's group is mounted at its root. rootless: for a caller
 * without privileges, its own ids as the container's root, and nothing that needs more. */
static char *make_spec(bool rootless)
{
	json_object *o = json_tokener_parse(spec), *l = json_object_object_get(o, "linux");
	char *text;

	if (host_is_v2())
		add_namespace(l, "cgroup");
	if (rootless) {
		add_namespace(l, "user");
		json_object_object_add(l, "uidMappings", one_mapping(geteuid()));
		json_object_object_add(l, "gidMappings", one_mapping(getegid()));
		json_object_object_del(l, "resources");
	}
	text = xstrdup(json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}

int oci_spec(struct oci *oci, int argc, char **argv)
{
	static const struct option options[] = { { "bundle", required_argument, NULL, 'b' },
		{ "rootless", no_argument, NULL, 'r' }, { 0 } };
	_cleanup_free_ char *text = NULL;
	const char *bundle = ".";
	struct error err = { 0 };
	bool rootless = false;
	int c, fd;

	while ((c = oci_option(argc, argv, "b:", options)) != -1) {
		if (c == 'b')
			bundle = optarg;
		else if (c == 'r')
			rootless = true;
		else
			return 1;
	}
	if (chdir(bundle) < 0) {
		error_errno(&err, errno, "cannot enter %s", bundle);
		return oci_fail(oci, &err);
	}
	text = make_spec(rootless);
	fd = open("config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || !oci_write_all(fd, text, strlen(text))) {
		error_errno(&err, errno, "cannot write config.json");
		return oci_fail(oci, &err);
	}
	close(fd);
	return 0;
}
