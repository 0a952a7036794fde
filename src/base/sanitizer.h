/* sanitizer: which of the compiler's sanitizers this is built with */
#ifndef BASE_SANITIZER_H
#define BASE_SANITIZER_H

/* gcc says it with macros, clang when asked for a feature. */
#if defined(__has_feature)
#define SANITIZER_FEATURE(name)	__has_feature(name)
#else
#define SANITIZER_FEATURE(name)	0
#endif

#if defined(__SANITIZE_ADDRESS__) || SANITIZER_FEATURE(address_sanitizer)
#define UNDER_ADDRESS_SANITIZER	1
#else
#define UNDER_ADDRESS_SANITIZER	0
#endif

#if defined(__SANITIZE_THREAD__) || SANITIZER_FEATURE(thread_sanitizer)
#define UNDER_THREAD_SANITIZER	1
#else
#define UNDER_THREAD_SANITIZER	0
#endif

#endif
