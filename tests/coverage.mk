# SPDX-License-Identifier: Apache-2.0
# Which lines the tests run. Included by the Makefile.
#
# A build of its own with gcc --coverage; the unit, replay and screen tests, and the end-to-end tests that E2E names
# (E2E=all: every one). What is counted goes to docs/coverage.md, with the reasons kept in tests/coverage.txt. Who may
# not write counts, as in another user's name, is not to complain (GCOV_ERROR_FILE): tests read standard error.

.PHONY: coverage
COVERAGE_OUTPUT := .output/coverage
coverage: test-deps
	$(Q)$(BUILD) O=$(COVERAGE_OUTPUT) COVERAGE=1 build tools unit-programs
	$(Q)find $(COVERAGE_OUTPUT) -name '*.gcda' -delete
	$(Q)GCOV_ERROR_FILE=/dev/null T= tests/run --output $(COVERAGE_OUTPUT) --leaks warn $(UNIT_TESTS:$(O)/%=$(COVERAGE_OUTPUT)/%) \
		$(wildcard tests/replay/*.sh) $(wildcard tests/tui/*.sh) \
		$(if $(filter all,$(E2E)),$(wildcard tests/e2e/*.sh),$(sort $(wildcard $(E2E:%=tests/e2e/%.sh)))) || \
		echo 'coverage: some tests failed; what they ran is counted all the same'
	$(Q)scripts/coverage.py $(COVERAGE_OUTPUT) $(if $(E2E),'$(E2E)') > docs/coverage.md.new && mv docs/coverage.md.new docs/coverage.md
