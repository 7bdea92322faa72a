# shellcheck shell=bash disable=SC2034
# The parts of ./check that only --all runs.  Sourced by it.

PARTS_OF_ALL=(gcc_tsan valgrind fuzz differ models aarch64 volume)
PACKAGES_OF_ALL=(valgrind qemu-user gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross
    util-linux iproute2 slowhttptest spin)
FUZZ_SECONDS=${FUZZ_SECONDS:-60}
DIFFER_COUNT=${DIFFER_COUNT:-20000}
DIFFER_SEED=${DIFFER_SEED:-$(date +%s)}
VALGRIND="valgrind;--quiet;--error-exitcode=99;--leak-check=full;--child-silent-after-fork=yes"
QEMU="qemu-aarch64;-L;/usr/aarch64-linux-gnu"

# Running out of memory is no matter of threads, so that is left out.
# gcc 12's ThreadSanitizer does not know all the places where newer kernels put a program; setarch -R keeps it
# to the old ones, where it is allowed.
part_gcc_tsan() {
    local CTEST=(ctest)
    build gcc_tsan tsan "${GCC[@]}" -DFATE_DIFFER_COUNT=0 || return
    if setarch -R true 2>/dev/null; then
        CTEST=(setarch -R ctest)
    fi
    run_tests gcc_tsan --label-exclude 'volume|oom'
}

# The tests with failing system calls have time limits, for which valgrind is too slow.
part_valgrind() {
    build valgrind dev "${GCC[@]}" -DFATE_TEST_LAUNCHER="$VALGRIND" -DFATE_DIFFER_COUNT=20 || return
    run_tests valgrind --label-exclude 'volume|sys'
}

part_fuzz() {
    local program found=0
    build fuzz fuzz || return
    for program in "$PWD"/build/fuzz/fuzz/fuzz-*; do
        if [ -f "$program" ] && [ -x "$program" ]; then
            found=1
            run_fuzzer "$program"
        fi
    done
    [ "$found" = 1 ] || echo "There are no fuzzers in fuzz/ yet."
}

# Fuzzes with one program, from what it found last time and from fuzz/corpus/NAME/, if that exists.
run_fuzzer() {
    local program=$1 name folder corpora=(corpus)
    name=$(basename "$program")
    folder=$REPORT/$name
    mkdir -p "$folder/corpus"
    [ -d "fuzz/corpus/${name#fuzz-}" ] && corpora+=("$PWD/fuzz/corpus/${name#fuzz-}")
    echo "$name for $FUZZ_SECONDS s, on $JOBS processors"
    if (cd "$folder" && "$program" -jobs="$JOBS" -workers="$JOBS" -max_total_time="$FUZZ_SECONDS" \
        "${corpora[@]}" >log 2>&1); then
        count passed
    else
        tail -n 60 "$folder"/fuzz-*.log "$folder/log"
        echo "$name found something; the input is in $folder."
        count failed
    fi
}

part_differ() {
    local differ=tests/scenario/differ.py
    build gcc_release release "${GCC[@]}" || return
    if [ ! -f "$differ" ]; then
        echo "There is no $differ yet."
    elif /usr/bin/python3 "$differ" --program build/gcc_release/tests/fate-scenario \
        --count "$DIFFER_COUNT" --seed "$DIFFER_SEED"; then
        count passed
    else
        echo "To see it again: DIFFER_SEED=$DIFFER_SEED DIFFER_COUNT=$DIFFER_COUNT ./check differ"
        count failed
    fi
}

part_models() {
    local model
    for model in tests/models/*.pml; do
        if /usr/bin/python3 tests/models/check.py "$model"; then
            count passed
        else
            count failed
        fi
    done
}

# Unpacks arm64 packages into a folder; neither apt's state nor the system changes.
unpack_arm64() {
    local root=$PWD/$1 apt=$PWD/$REPORT/apt_arm64 options
    shift
    mkdir -p "$root" "$apt"/{lists,cache,debs}/partial
    options=(-q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State::Lists="$apt/lists"
        -o Dir::State::Status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
    : >"$apt/status"
    apt-get "${options[@]}" update &&
        (cd "$apt/debs" && apt-get "${options[@]}" download "$@") &&
        for deb in "$apt"/debs/*.deb; do
            dpkg-deb -x "$deb" "$root" || return
        done
}

part_aarch64() {
    local root=build/aarch64_root options
    if [ ! -f "$root/usr/include/cmocka.h" ] &&
        ! unpack_arm64 "$root" libcmocka0 libcmocka-dev >"$REPORT/apt_arm64.log" 2>&1; then
        tail -n 5 "$REPORT/apt_arm64.log"
        echo "cmocka for arm64 could not be fetched: only the scenarios and the examples are run."
    fi
    options=(-DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64.cmake" -DFATE_ARM64_ROOT="$PWD/$root")
    build_and_test aarch64 dev "${options[@]}" -DFATE_DIFFER_COUNT=20 \
        -DFATE_TEST_LAUNCHER="$QEMU;-E;LD_LIBRARY_PATH=$PWD/$root/usr/lib/aarch64-linux-gnu"
}

part_volume() {
    build gcc_release release "${GCC[@]}" || return
    if ctest --test-dir build/gcc_release --show-only --label-regex volume | grep -q 'Total Tests: 0'; then
        echo "There are no tests of large volumes yet."
        return
    fi
    run_tests gcc_release --label-regex volume
}
