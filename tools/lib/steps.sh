# shellcheck shell=bash
# Sourced by tools/test: one step after the other, with its time, counted at the end.

STEP_LOGS=$ROOT/build/log
PASSED=0 FAILED=0 FAILED_STEPS=()
mkdir -p "$STEP_LOGS"

# step COUNT NAME COMMAND...: COUNT says how results are counted, see count_results. The command
# runs in a subshell with errexit of its own; its output is shown if it fails, or, if the count is
# "pytest" (minutes long), as it comes.
step() {
  local count=$1 name=$2 log status started=$SECONDS
  shift 2
  log=$STEP_LOGS/${name//[^a-zA-Z0-9.]/-}.log
  say "$name"
  set +e
  if [ "$count" = pytest ]; then
    (
      set -e
      "$@"
    ) 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
  else
    (
      set -e
      "$@"
    ) >"$log" 2>&1
    status=$?
    [ "$status" -eq 0 ] || tail -n 80 "$log"
  fi
  set -e
  finish_step "$count" "$name" "$log" "$status" $((SECONDS - started))
}

finish_step() {
  local count=$1 name=$2 log=$3 status=$4 seconds=$5 passed failed
  read -r passed failed < <(count_results "$count" "$log" "$status")
  # Whatever the log says: a step that fails has a failure, one that counts nothing has failed.
  if [ "$failed" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$passed" -eq 0 ]; }; then
    failed=1
  fi
  PASSED=$((PASSED + passed))
  FAILED=$((FAILED + failed))
  [ "$failed" -eq 0 ] || FAILED_STEPS+=("$name")
  printf '   %s: %s passed, %s failed, %ss\n' "$name" "$passed" "$failed" "$seconds"
}

# count_results KIND LOG STATUS: prints "PASSED FAILED". Kinds: one (the step is one check), ctest,
# gtest (with --gtest_brief=1) and pytest (from the last summary in the log; an error or a skipped
# test is no pass).
count_results() {
  local kind=$1 log=$2 status=$3 total failed
  case $kind in
    one) if [ "$status" -eq 0 ]; then echo 1 0; else echo 0 1; fi ;;
    ctest)
      read -r failed total < <(sed -n \
        's/.*tests passed, \([0-9]*\) tests* failed out of \([0-9]*\).*/\1 \2/p' "$log" | tail -n 1) ||
        { failed=0 total=0; }
      echo $((total - failed)) "$failed"
      ;;
    gtest)
      total=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) tests*\.$/\1/p' "$log" | tail -n 1)
      failed=$(grep -cE '^\[  FAILED  \] .* ms\)$' "$log") || true
      echo "${total:-0}" "$failed"
      ;;
    pytest)
      echo "$(pytest_count "$log" passed)" \
        $(($(pytest_count "$log" failed) + $(pytest_count "$log" 'errors?') \
          + $(pytest_count "$log" skipped)))
      ;;
  esac
}

pytest_count() {
  local found
  found=$(sed 's/\x1b\[[0-9;]*m//g' "$1" |
    grep -E '^=* ?([0-9]+ [a-z]+,? ?)+ in [0-9.]+s' | tail -n 1 |
    grep -oE "[0-9]+ ($2)\b" | cut -d' ' -f1) || true
  echo "${found:-0}"
}

# The last line of a run.
closing_line() {
  local name
  for name in ${FAILED_STEPS[@]+"${FAILED_STEPS[@]}"}; do
    printf 'failed: %s\n' "$name"
  done
  printf '%s passed, %s failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" -eq 0 ]
}
