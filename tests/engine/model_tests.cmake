# Kernels, quantisation and the model, on their own.
studio_test(engine_quant_nf4_test SOURCES quant_nf4_test.cpp LINK studio::engine_quant studio::io)
if(TARGET studio_engine_model)
    add_library(studio_tiny_phi STATIC ${PROJECT_SOURCE_DIR}/tests/support/tiny_phi.cpp)
    target_include_directories(studio_tiny_phi PUBLIC ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(studio_tiny_phi PUBLIC studio::io)
    studio_test(engine_model_backward_test SOURCES model_backward_test.cpp LINK studio::engine_model studio_tiny_phi)
    studio_test(engine_model_forward_test SOURCES model_forward_test.cpp LINK studio::engine_model studio_tiny_phi)
endif()
