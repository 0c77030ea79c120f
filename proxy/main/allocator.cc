// How jemalloc works in this program (jemalloc(3), TUNING); it reads the name at its start.
//
// background_thread: what is freed goes back to the system after ten seconds also where the thread
// that freed it sleeps from then on; without it a start-up leaves 7 MiB behind.
// tcache_*: few and small blocks are kept for a thread. The data path of a request allocates
// nothing; what does now and then would otherwise fill caches for many minutes, which looks like a
// leak. But a TLS connection's own blocks come and go with it, the records' buffers of 17 KiB the
// largest: to keep them as well took 4 % off a resumed handshake (docs/speed.md).

extern "C" const char* malloc_conf;
const char* malloc_conf =
    "background_thread:true,tcache_max:20480,tcache_nslots_small_min:8,tcache_nslots_small_max:64,"
    "tcache_nslots_large:8";
