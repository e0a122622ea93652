# Warnings, sanitizers and link options, each as an interface library.

add_library(pw_flags INTERFACE)
target_compile_options(pw_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Wno-missing-field-initializers  # designated initialisers leave out on purpose
                       -ffunction-sections -fdata-sections)
if(PW_SANITIZE)
  target_compile_options(pw_flags INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(pw_flags INTERFACE -fsanitize=address,undefined)
endif()
if(PW_FUZZ)
  target_compile_options(pw_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(pw_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_library(pw_link INTERFACE)
# One segment for code and constants: fewer page faults and mappings at every start.
target_link_options(pw_link INTERFACE -Wl,--gc-sections -Wl,-z,noseparate-code)
if(PW_STATIC)
  target_link_options(pw_link INTERFACE -static
                      -Wl,-T,${CMAKE_CURRENT_LIST_DIR}/start_together.ld)
  set_target_properties(pw_link PROPERTIES
    INTERFACE_LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/start_together.ld)
endif()
