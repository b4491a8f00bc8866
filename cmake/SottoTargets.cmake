# Flags shared by every target of the project.
add_library(sotto_flags INTERFACE)
target_compile_options(sotto_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -fno-omit-frame-pointer
  # g++ 12 sees overlaps in '[' + std::string that are not there (PR 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${SOTTO_WERROR}>:-Werror>)
target_compile_options(sotto_flags INTERFACE
  $<$<CONFIG:Release,RelWithDebInfo>:-fstack-protector-strong
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
target_link_options(sotto_flags INTERFACE -Wl,-z,relro,-z,now)
if(SOTTO_SANITIZE)
  target_compile_options(sotto_flags INTERFACE
    -fsanitize=${SOTTO_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(sotto_flags INTERFACE -fsanitize=${SOTTO_SANITIZE})
endif()

# sotto_library(NAME SOURCES... ): a static library that includes from the top
# of the repository ("crypto/result.hpp").
function(sotto_library name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE sotto_flags)
endfunction()

# sotto_program(NAME SOURCES...): an executable, left in build/<preset>/bin.
function(sotto_program name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE sotto_flags)
endfunction()

# sotto_test(NAME SOURCES...): one GoogleTest binary, one ctest entry a case.
function(sotto_test name)
  sotto_program(${name} ${ARGN} ${PROJECT_SOURCE_DIR}/tests/main.cpp)
  target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest)
  include(GoogleTest)
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300)
endfunction()
