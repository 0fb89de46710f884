/*
 * A firmware image in MCUboot's format (docs.mcuboot.com, "Bootloader", image format): 32 bytes of header and
 * padding up to ih_hdr_size, the code, then tags with lengths, of which one is the SHA-256 of all before the
 * tags.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stdint.h>

typedef struct {
    uint32_t bytes; /* header, code and tags: what a copy must copy; 0 = no image */
    uint32_t entry; /* address of the vector table, as if the image lay in slot 0 */
    const uint8_t *hash;
    const uint8_t *version; /* major, minor, u16 revision, u32 build number */
} boot_image;

/*
 * Checks the image in the slot at this address: all lengths, the first stack pointer, that the reset vector
 * lies in its code (as linked for slot 0), and the hash. Images with flags (encrypted, compressed, not
 * bootable) are refused, and unknown tags, signatures among them, are passed over: the hash finds faults, not
 * forgeries. Returns 1 if it may run; else 0 and image->bytes = 0.
 */
int image_check(uint32_t slot, boot_image *image);

/* 1 if the version at `a` comes after the one at `b`. Build numbers don't count. */
int image_newer(const uint8_t *a, const uint8_t *b);

uint32_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
int same(const uint8_t *a, const uint8_t *b, uint32_t count);

#endif
