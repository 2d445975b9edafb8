# In front of the CMake presets. Every target sets up what it needs first (scripts/setup; nothing to do the second time).
.PHONY: help setup build run test bench lint format clean
JOBS ?= $(shell nproc)

help:
	@echo "make build   set up and build          make test   build and run every test"
	@echo "make run     build and start           make bench  speed of this machine"
	@echo "make lint    formatting and layering   make clean  remove build/"

setup:
	@scripts/setup

build/build.ninja: CMakeLists.txt CMakePresets.json
	@cmake --preset release -Wno-dev > build.log 2>&1 || { cat build.log; rm -f build.log; exit 1; }; rm -f build.log

build: setup build/build.ninja
	@cmake --build build -j $(JOBS)

run: build
	@build/bin/qlora-studio

test: build
	@ctest --test-dir build --output-on-failure -j $(JOBS)

bench: build
	@build/bin/qlora-studio bench tokenize
	@build/bin/qlora-studio bench train
	@build/bin/qlora-studio bench decode

lint: setup build/build.ninja
	@scripts/lint

format:
	@git ls-files '*.h' '*.cpp' '*.cu' '*.cuh' | xargs clang-format -i

clean:
	@rm -rf build
