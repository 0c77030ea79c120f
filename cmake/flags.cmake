# The interface target that carries the language level, the warnings and the hardening. Warnings
# become errors only in the presets, so that a newer compiler does not break a user's build.

add_library(paravent_flags INTERFACE)
add_library(paravent::flags ALIAS paravent_flags)
target_compile_features(paravent_flags INTERFACE cxx_std_20)
target_include_directories(paravent_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(paravent_flags INTERFACE Threads::Threads)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

target_compile_options(paravent_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
target_compile_definitions(paravent_flags INTERFACE BOOST_ASIO_NO_DEPRECATED)

if(PARAVENT_SANITIZE STREQUAL "address")
  target_compile_options(paravent_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(paravent_flags INTERFACE -fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Clang 14 cannot emit coroutines under it.
    target_compile_options(paravent_flags INTERFACE -fno-sanitize=function)
    target_link_options(paravent_flags INTERFACE -fno-sanitize=function -fuse-ld=lld)
  endif()
elseif(PARAVENT_SANITIZE STREQUAL "thread")
  target_compile_options(paravent_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences, which this sanitizer does not see, stand beside locks that it does see.
    target_compile_options(paravent_flags INTERFACE -Wno-tsan)
  endif()
  target_link_options(paravent_flags INTERFACE -fsanitize=thread)
elseif(NOT PARAVENT_SANITIZE STREQUAL "")
  message(FATAL_ERROR "PARAVENT_SANITIZE is empty, address or thread.")
endif()

if(CMAKE_BUILD_TYPE MATCHES "Release|RelWithDebInfo")
  target_compile_options(paravent_flags INTERFACE -fstack-protector-strong)
  target_compile_definitions(paravent_flags INTERFACE _FORTIFY_SOURCE=3 _GLIBCXX_ASSERTIONS)
  target_link_options(paravent_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

# With link-time optimisation the whole program is one unit, and GCC stops to inline when the unit
# has grown by 40 %: without counts of a run (the preset `optimised`) commands that run once use up
# what the data path would need. Its rooms have a budget of their own
# (docs/decisions/0064-a-trained-build.md).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  # The parts into which it divides the program are compiled on all processors; they are the same parts.
  target_link_options(paravent_flags INTERFACE -flto=auto)
  set(PARAVENT_DATA_PATH_OPTIONS
    "SHELL:--param inline-unit-growth=300" "SHELL:--param large-function-growth=300"
    "SHELL:--param max-inline-insns-auto=60" "SHELL:--param inline-min-speedup=8")
endif()

# paravent_room(NAME [DATA_PATH] SOURCES a.cc ... PUBLIC target ... PRIVATE target ...)
# One room of the house: a static library paravent_NAME with the alias paravent::NAME. DATA_PATH: every
# request runs through it.
function(paravent_room name)
  cmake_parse_arguments(ROOM "DATA_PATH" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(ROOM_SOURCES)
    add_library(paravent_${name} STATIC ${ROOM_SOURCES})
    target_link_libraries(paravent_${name} PUBLIC paravent::flags ${ROOM_PUBLIC}
                                           PRIVATE ${ROOM_PRIVATE})
    paravent_precompiled(paravent_${name} rooms)
    if(ROOM_DATA_PATH)
      target_compile_options(paravent_${name} PRIVATE ${PARAVENT_DATA_PATH_OPTIONS})
    endif()
  else()
    add_library(paravent_${name} INTERFACE)
    target_link_libraries(paravent_${name} INTERFACE paravent::flags ${ROOM_PUBLIC})
  endif()
  add_library(paravent::${name} ALIAS paravent_${name})
endfunction()

# paravent_test(NAME [OPTIMISED] LABEL unit SOURCES a_test.cc ... LINK target ...)
# One test binary; its working directory is the top of the source tree, so that case files are
# found by their path from there. OPTIMISED: it says more without the sanitizers, which make memory
# unlocked and allocations their own, so tests/run.sh runs it in the optimised build too.
function(paravent_test name)
  cmake_parse_arguments(TEST "OPTIMISED" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  paravent_precompiled(${name} tests)
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set(labels ${TEST_LABEL})
  if(TEST_OPTIMISED)
    list(APPEND labels optimised)
    paravent_optimised(${name})
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${TEST_TIMEOUT})
endfunction()

# The target paravent_optimised builds what the tests with the label `optimised` need.
function(paravent_optimised target)
  if(NOT TARGET paravent_optimised)
    add_custom_target(paravent_optimised)
  endif()
  add_dependencies(paravent_optimised ${target})
endfunction()

# paravent_fuzz(NAME SOURCE file CORPUS dir LINK target ...)
# A fuzz target in every build: with libFuzzer in the fuzz preset; elsewhere with a plain main that
# replays its seed corpus, which is a test. The target paravent_fuzzers builds all of them.
function(paravent_fuzz name)
  cmake_parse_arguments(FUZZ "" "SOURCE;CORPUS" "LINK" ${ARGN})
  if(PARAVENT_FUZZ)
    add_executable(${name} ${FUZZ_SOURCE})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${FUZZ_SOURCE} $<TARGET_OBJECTS:paravent_replay_main>)
    add_test(NAME ${name}_replay COMMAND ${name} ${FUZZ_CORPUS}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name}_replay PROPERTIES LABELS fuzz-replay TIMEOUT 120)
  endif()
  target_link_libraries(${name} PRIVATE ${FUZZ_LINK} paravent::flags)
  if(NOT TARGET paravent_fuzzers)
    add_custom_target(paravent_fuzzers)
  endif()
  add_dependencies(paravent_fuzzers ${name})
endfunction()
