# LibTorch out of the PyPI wheel that scripts/setup unpacked. Own imported targets: the wheel's CMake files drag CUDA,
# protobuf and NCCL definitions along.
set(STUDIO_TORCH_DIR "" CACHE PATH "Folder that holds torch/ and nvidia/ as the wheels unpack them")
if(NOT STUDIO_TORCH_DIR)
    if(DEFINED ENV{STUDIO_TORCH_DIR})
        set(STUDIO_TORCH_DIR $ENV{STUDIO_TORCH_DIR})
    elseif(DEFINED ENV{XDG_CACHE_HOME})
        set(STUDIO_TORCH_DIR $ENV{XDG_CACHE_HOME}/qlora-studio/torch-2.11.0)
    else()
        set(STUDIO_TORCH_DIR $ENV{HOME}/.cache/qlora-studio/torch-2.11.0)
    endif()
endif()
set(TORCH_LIB ${STUDIO_TORCH_DIR}/torch/lib)
if(NOT EXISTS ${TORCH_LIB}/libtorch_cpu.so)
    message(FATAL_ERROR "LibTorch is not at ${STUDIO_TORCH_DIR}. Run `make setup`, or configure with -DSTUDIO_ENGINE=OFF.")
endif()

add_library(torch_cpu SHARED IMPORTED)
set_target_properties(torch_cpu PROPERTIES IMPORTED_LOCATION ${TORCH_LIB}/libtorch_cpu.so)
add_library(c10 SHARED IMPORTED)
set_target_properties(c10 PROPERTIES IMPORTED_LOCATION ${TORCH_LIB}/libc10.so)
# The wheel's own OpenMP runtime: a second one in the process would halve the threads.
add_library(torch_gomp SHARED IMPORTED)
set_target_properties(torch_gomp PROPERTIES IMPORTED_LOCATION ${TORCH_LIB}/libgomp.so.1 IMPORTED_NO_SONAME FALSE)

add_library(studio_torch INTERFACE)
target_include_directories(studio_torch SYSTEM INTERFACE ${STUDIO_TORCH_DIR}/torch/include)
target_compile_definitions(studio_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(studio_torch INTERFACE torch_cpu c10)

# CUDA libraries that libtorch_cpu itself asks for.
set(STUDIO_TORCH_RPATH ${TORCH_LIB})
file(GLOB TORCH_NVIDIA_LIBS ${STUDIO_TORCH_DIR}/nvidia/*/lib)
list(APPEND STUDIO_TORCH_RPATH ${TORCH_NVIDIA_LIBS})
list(JOIN STUDIO_TORCH_RPATH ":" STUDIO_TORCH_RPATH_TEXT)
target_link_options(studio_torch INTERFACE "LINKER:-rpath,${STUDIO_TORCH_RPATH_TEXT}" LINKER:--allow-shlib-undefined
    "LINKER:-rpath-link,${STUDIO_TORCH_RPATH_TEXT}")
