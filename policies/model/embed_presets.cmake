# cmake -DOUT=file.cc -DFILES="a.yaml;b.yaml" -P embed_presets.cmake
# Writes the presets as string literals. A raw literal has a length limit in some compilers, so each line
# is a literal of its own.
set(items "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
  # A line feed ends a literal, so that the next one begins on its own line.
  string(REPLACE "\\x0a" "\\x0a\"\n     \"" bytes "${bytes}")
  string(APPEND items "    {\"${name}\",\n     \"${bytes}\"},\n")
endforeach()
file(WRITE ${OUT}.new "// Made from policies/presets at build time.
#include \"policies/model/preset.h\"

namespace paravent::policies {
namespace {

constexpr Preset kPresets[] = {
${items}};

}  // namespace

std::span<const Preset> presets() noexcept { return kPresets; }

}  // namespace paravent::policies
")
file(COPY_FILE ${OUT}.new ${OUT} ONLY_IF_DIFFERENT)
