# One target carries every flag, so that all modules agree.
add_library(studio_options INTERFACE)
target_compile_features(studio_options INTERFACE cxx_std_20)
target_compile_options(studio_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion
      $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>   # a false alarm of g++ 12 (PR 105329)
      -fvisibility=hidden -fvisibility-inlines-hidden -ffp-contract=on>)
target_link_libraries(studio_options INTERFACE fmt::fmt tl::expected)
if(STUDIO_SANITIZE)
    target_compile_options(studio_options INTERFACE -fsanitize=${STUDIO_SANITIZE} -fno-omit-frame-pointer -g1)
    target_link_options(studio_options INTERFACE -fsanitize=${STUDIO_SANITIZE})
endif()
find_program(MOLD mold)
if(MOLD)
    add_link_options(-fuse-ld=mold)
endif()
find_program(CCACHE ccache)
if(CCACHE)
    # Relative paths and precompiled headers: a second clone or build folder finds what the first compiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
