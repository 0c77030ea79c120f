# With PARAVENT_PRECOMPILE the standard library's headers are read once for all rooms and once, with GoogleTest's, for all
# tests: a fifth of what compiling takes there (six files, sanitized). For the sanitized build of tests/run.sh, which is the longest. A file that
# forgets an #include compiles all the same then, so no preset has it; and with optimisation GCC takes some of the library's
# own code, whose place it does not know any more, for ours and warns of it.
#
# GCC takes such a header only for the very flags it was compiled with; rooms and test programs differ in -fPIC and -fPIE.

if(PARAVENT_PRECOMPILE)
  set(PARAVENT_STANDARD_HEADERS <algorithm> <array> <atomic> <chrono> <cstdint> <cstdlib> <cstring> <functional>
      <map> <memory> <mutex> <optional> <set> <span> <sstream> <string> <string_view> <thread>
      <utility> <variant> <vector>)
  foreach(kind rooms tests)
    file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/precompiled/${kind}.cc CONTENT "")
    add_library(paravent_precompiled_${kind} STATIC ${PROJECT_BINARY_DIR}/precompiled/${kind}.cc)
    target_link_libraries(paravent_precompiled_${kind} PRIVATE paravent::flags)
    target_precompile_headers(paravent_precompiled_${kind} PRIVATE ${PARAVENT_STANDARD_HEADERS})
  endforeach()
  if(PARAVENT_BUILD_TESTS)
    set_target_properties(paravent_precompiled_tests PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(paravent_precompiled_tests PRIVATE -fPIE)
    target_link_libraries(paravent_precompiled_tests PRIVATE GTest::gtest GTest::gmock)
    target_precompile_headers(paravent_precompiled_tests PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endif()

# paravent_precompiled(TARGET rooms|tests): it reads that kind's headers, where they are precompiled.
function(paravent_precompiled target kind)
  if(PARAVENT_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM paravent_precompiled_${kind})
    target_compile_options(${target} PRIVATE -Winvalid-pch)
  endif()
endfunction()
