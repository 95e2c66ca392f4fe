#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docker's second names (container, image, system), what inspect finds besides containers, and what takes how much room.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"
busybox_image || skip_all "no image"

# ---- container ----
ct container run --trace=none --name ran "${ON[@]}" sh -c 'head -c 1000 /dev/zero >/written; ln /written /twice; exit 3'
is "$?" 3 "container run"
is "$(ct container create --name made "${ON[@]}" true | wc -c)" 65 "container create"
is "$(ct container ls -a --format '{{.Names}}' | sort | xargs)" "made ran" "container ls"
is "$(ct container list -aq) $(ct container ps -aq)" "$(ct ps -aq) $(ct ps -aq)" "its other names"
is "$(ct container inspect ran | jq -r '.[0].State.ExitCode')" 3 "container inspect is JSON"
fails 1 'No such container: nosuch' "container inspect of nothing" ct container inspect nosuch
fails 1 'unknown command: nosuch' "no command of container" ct container nosuch
like "$(ct container --help)" '^  ls  ' "container --help"
is "$(ct container | head -n 1; ct container 2>&1 | head -n 1)" "Usage: ctrace container COMMAND [OPTIONS]" "container alone tells on stderr"
fails 1 'at least 1 argument' "container rm of nothing" ct container rm

# ---- how much ----
size=$(ct inspect -s -f '{{.SizeRw}} {{.SizeRootFs}}' ran)
is "$size" "1000 1000" "inspect -s: what was written, once; a --rootfs has no image"
like "$(ct ps -as --filter name=ran)" ' 1kB \(virtual 1kB\)$' "ps -s"
unlike "$(ct ps -a)" SIZE "not without it"
is "$(ct ps -a --filter name=ran --format '{{.Size}}')" '1kB (virtual 1kB)' "a template that asks for it"
is "$(ct inspect -f '{{.SizeRw}}' ran 2>&1)" "ctrace inspect: template: can't evaluate field SizeRw in .SizeRw" "inspect without -s has none"

# ---- images ----
ct pull -q "oci:$BUSYBOX_OCI" >/dev/null 2>&1
id=$(ct image ls -q --no-trunc)
is "$(ct image inspect -f '{{.Id}} {{.Os}} {{.Config.Cmd}}' "oci:$BUSYBOX_OCI")" "$id linux [sh]" "image inspect"
is "$(ct inspect -f '{{.Id}}' "${id:7:12}")" "$id" "inspect finds an image, too"
is "$(ct inspect "oci:$BUSYBOX_OCI" | jq -r '.[0].RepoTags[0]')" "oci:$BUSYBOX_OCI" "as JSON"
fails 1 'no such image: nosuch' "image inspect of nothing" ct image inspect nosuch
fails 1 'No such container' "an image is no container" ct container inspect "oci:$BUSYBOX_OCI"
ct create --name user --network none "oci:$BUSYBOX_OCI" true >/dev/null
is "$(ct system df --format '{{.Type}} {{.TotalCount}} {{.Active}}')" "Images 1 1
Containers 3 0
Local Volumes 0 0" "system df"
like "$(ct system df)" '^Images +1 +1 +1\.[0-9]+MB +0B \(0%\)$' "an image that is used cannot be had back"
fails 125 'say so with -f' "image prune wants -f" ct image prune
is "$(ct image prune -af)" "Total reclaimed space: 0B" "image prune -a leaves one that a container has"
ct rm user >/dev/null
is "$(ct image prune -f)" "Total reclaimed space: 0B" "image prune leaves one that has a name"
like "$(ct image prune -af)" '^deleted: sha256:' "image prune -a removes it"
is "$(ct image ls -q)" "" "it is gone"

# ---- volumes and system prune ----
ct volume create --label a=b vol >/dev/null
is "$(ct inspect -f '{{.Name}} {{.Labels.a}}' vol) $(ct volume list -q)" "vol b vol" "inspect finds a volume; volume list"
ct pull -q "oci:$BUSYBOX_OCI" >/dev/null 2>&1
# a path too long for the kernel
ct run --rm -v vol:/v "${ON[@]}" sh -c 'cd /v; d=$(printf %0200d 1); while mkdir $d && cd $d; do :; done 2>/dev/null'
try ct system df
like "$err" '^ctrace system df: .*volume vol: 1 of the files and directories below .* could not be looked at, .*: File name too long' \
	"system df says what it could not measure"
like "$out" '^Local Volumes +1 ' "and the rest"
out=$(ct system prune -af)
like "$out" 'Deleted Containers:' "system prune removes containers"
like "$out" 'Total reclaimed space: 1\.[0-9]+MB' "and with -a images"
is "$(ct ps -aq)$(ct images -q)" "" "both are gone"
is "$(ct volume remove vol)" vol "volume remove"
wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "nothing is left at the end"
done_testing
