# Warnings, sanitizers and the functions with which the folders declare their targets.
add_library(certpair_options INTERFACE)
target_compile_options(certpair_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wno-missing-field-initializers  # designated initialisers leave out what keeps its default
  -Werror
  # GCC 12 reports these inside its own <variant> and <string>, where optimisation has inlined them.
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-error=maybe-uninitialized;-Wno-error=restrict>"
  -fno-omit-frame-pointer
  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2 -fstack-protector-strong>)
target_link_options(certpair_options INTERFACE $<$<CONFIG:Release>:-Wl,-z,relro,-z,now -Wl,--as-needed>)
# GCC collects garbage less often: a tenth of the time of a build without optimisation, for some memory.
target_compile_options(certpair_options INTERFACE
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Debug>>:SHELL:--param ggc-min-expand=200 --param ggc-min-heapsize=524288>")
target_compile_definitions(certpair_options INTERFACE CERTPAIR_VERSION="${PROJECT_VERSION}")
target_include_directories(certpair_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(certpair_options INTERFACE Threads::Threads)

if(CERTPAIR_SANITIZE)
  # Not optimised: with both sanitizers, -O1 takes GCC 12 more than twice as long, and finds no more.
  target_compile_options(certpair_options INTERFACE -fsanitize=${CERTPAIR_SANITIZE} -g1)
  target_link_options(certpair_options INTERFACE -fsanitize=${CERTPAIR_SANITIZE})
  if(CERTPAIR_SANITIZE MATCHES undefined)
    # vptr: cpprestsdk hands out objects of classes whose type information it does not export.
    target_compile_options(certpair_options INTERFACE -fno-sanitize=vptr -fno-sanitize-recover=all)
  endif()
endif()

# certpair_library(NAME folder-libraries... third-party...): a static library of all sources in this folder.
function(certpair_library name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(sources)
    add_library(certpair_${name} STATIC ${sources})
    target_link_libraries(certpair_${name} PUBLIC certpair_options ${ARGN})
  else()
    add_library(certpair_${name} INTERFACE)
    target_link_libraries(certpair_${name} INTERFACE certpair_options ${ARGN})
  endif()
endfunction()
