#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# alone
# timeout: 60
# What the programs cost the verifier is what docs/bpf-cost.tsv keeps: a change is made knowingly, by `make bpf-cost`.
. tests/lib/env.sh
. tests/lib/trace.sh
need_tracing
need bpftool
out=$(/usr/bin/python3 "$TOP/tests/bench/bpf_cost.py" --output "$CTRACE_OUTPUT" --check "$TOP/docs/bpf-cost.tsv" 2>&1)
case $? in
0) ok "each program is as large as it was kept ($out)" ;;
77) skip_point "each program is as large as it was kept" "$out" ;;
*) not_ok "each program is as large as it was kept"; diag "$out" "$(echo; echo "make bpf-cost renews docs/bpf-cost.tsv")" ;;
esac

# The kernel's own bound is 1,000,000; far below it another kernel's verifier may still need more.
most=$(awk -F '\t' '!/^#/ && NR > 1 && $3 + 0 > most { most = $3 } END { print most + 0 }' "$TOP/docs/bpf-cost.tsv")
check "the largest program takes the verifier $most instructions, at most 250000" test "$most" -gt 0 -a "$most" -le 250000
done_testing
