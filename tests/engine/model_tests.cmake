# Kernels, quantisation and the model, on their own.
studio_test(engine_quant_nf4_test SOURCES quant_nf4_test.cpp LINK studio::engine_quant studio::io)
