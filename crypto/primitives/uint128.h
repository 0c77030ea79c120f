// UInt128: the compilers' 128-bit integer, which ISO C++ does not name.

#pragma once

namespace paravent::crypto {

__extension__ using UInt128 = unsigned __int128;

}  // namespace paravent::crypto
