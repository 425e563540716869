# What the sanitizers are told, for every program that CTest starts, and for those that these start. CTest reads
# CTestCustom.cmake first; what the environment says already is left alone.
set(suppressions ${CMAKE_CURRENT_LIST_DIR})
file(WRITE ${CMAKE_BINARY_DIR}/CTestCustom.cmake "
function(say name value)
  if(NOT DEFINED ENV{\${name}})
    set(ENV{\${name}} \"\${value}\")
  endif()
endfunction()
say(ASAN_OPTIONS \"detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1\")
say(LSAN_OPTIONS \"suppressions=${suppressions}/lsan.supp:print_suppressions=0\")
say(UBSAN_OPTIONS \"suppressions=${suppressions}/ubsan.supp:print_stacktrace=1\")
say(TSAN_OPTIONS \"suppressions=${suppressions}/tsan.supp:second_deadlock_stack=1:history_size=4\")
")
