/*
 * Goodness for Arduino: a network that goes on learning on the board.
 *
 *   goodness export model.ffm --header model.h --board uno   makes model.h: the image as an array
 *
 *   #include <Goodness.h>
 *   #include "model.h"
 *   GoodnessDevice<MODEL_ARENA> device;
 *   void setup() { Serial.begin(115200); device.begin(MODEL, sizeof MODEL, Serial); }
 *   void loop() { device.serve(); }
 *
 * Then `goodness verify`, `learn`, `eval`, `sync` and `monitor` work on the board's port.
 */
#ifndef GOODNESS_ARDUINO_LIBRARY_H
#define GOODNESS_ARDUINO_LIBRARY_H

#include <Arduino.h>

extern "C" {
#include "goodness_core.h"
#include "goodness_store.h"
}

/*
 * ARENA: bytes of RAM for the model: MODEL_ARENA, or more if a host is to ask for class statistics. PAYLOAD:
 * largest payload of a frame, at least 64; a sample and 5 bytes must fit if a host is to send samples; each
 * byte costs two of RAM.
 */
template <ff_size ARENA, ff_size PAYLOAD = FF_LINK_PAYLOAD_LEAST> class GoodnessDevice {
  public:
    /*
     * Takes the slot that `goodness export --header` made (`bytes` of it, in PROGMEM on AVR) and, if there is
     * a line, serves the link on it. What was saved for just this image takes the place of what the image
     * says. True if the board has its model; otherwise status() says why (SPEC.md 9.5), and the line is
     * served all the same.
     */
    bool begin(const uint8_t *slot, ff_size bytes, Stream *line = 0) {
        memset(&device_, 0, sizeof device_);
        device_.arena = arena_.bytes;
        device_.arena_bytes = ARENA;
        device_.target = "arduino";
        device_.window = 1;
        device_.clock = clock;
        goodness_store(&device_, slot, bytes);
        line_ = line;
        ff_device_start(&device_);
        ff_link_start(&link_, &device_, buffer_.bytes, PAYLOAD, PAYLOAD);
        return device_.loaded;
    }
    bool begin(const uint8_t *slot, ff_size bytes, Stream &line) { return begin(slot, bytes, &line); }

    /* Does a bounded piece of what the host asks for, as far as it has come in. Call it in loop(), and often.
     */
    void serve() {
        if (!line_) return;
        while (!link_.has_request && line_->available() > 0) {
            const uint8_t byte = (uint8_t)line_->read();
            ff_link_feed(&link_, &byte, 1);
        }
        ff_link_step(&link_);
        /* Lines that can't say how much they take get a byte at a time. */
        int room = line_->availableForWrite();
        do {
            if (link_.out_sent == link_.out_count) return;
            line_->write(link_.out[link_.out_sent++]);
        } while (--room > 0);
    }

    /* Classifies a sample of bytes (as many as the model has inputs). The class, or -1: there is no model. */
    int16_t infer(const uint8_t *x) {
        return ff_device_infer(&device_, x, FF_NO_LABEL) == FF_OK ? device_.last.class_ : -1;
    }

    /* Classifies a sample, then learns it as one of class `label`. The class that it seemed to be, or -1:
     * nothing was learned. */
    int16_t learn(const uint8_t *x, uint8_t label) {
        return ff_device_learn(&device_, x, label) == FF_OK ? device_.last.class_ : -1;
    }

    /* Keeps what was learned over a power cut. False where the board has no store, or it is too small.
     * Takes 3.4 ms on AVR for each byte that has changed. */
    bool save() {
        if (ff_device_save(&device_) != FF_OK) return false;
        while (device_.job != FF_JOB_NONE)
            if (ff_device_step(&device_) != FF_OK) return false;
        return true;
    }

    /* What the last sample gave: class, flags (FF_NOVEL, ...), scores. */
    const ff_result &result() const { return device_.last; }

    /* Why there is no model: 0 if there is one, else a code of SPEC.md 9.5. */
    uint8_t status() const { return device_.load_status; }

    /* Bytes of the arena that the model takes. */
    ff_size arenaUsed() const { return device_.arena_used; }

    /* The core's own device, for all that has no method here. */
    ff_device &core() { return device_; }

  private:
    static uint32_t clock() { return micros(); }

    union {
        uint32_t align;
        uint8_t bytes[ARENA];
    } arena_;
    union {
        uint32_t align;
        uint8_t bytes[FF_LINK_BYTES(PAYLOAD, PAYLOAD)];
    } buffer_;
    ff_device device_;
    ff_link link_;
    Stream *line_;
};

#endif
