/*
 * Learns a sensor on A0 by itself, with no computer in the loop. Every window of readings is classified;
 * while the button at D2 is held (to ground), windows are learned as class 0, and when it is let go what was
 * learned is saved. The LED shows windows that are new to the model.
 *
 *   goodness capture --port ... --sensor analog:A0 --window 16 --rate 50 ...    records the data (with
 * StandardFirmata on the board) goodness train data.csv --out model goodness export model/model.ffm --header
 * model.h --board uno
 */
#include <Goodness.h>

#include "model.h"

/* Samples per window, and time between samples: as recorded. */
const uint8_t WINDOW = MODEL_INPUTS;
const uint32_t PERIOD_US = 20000;
const uint8_t BUTTON = 2;

GoodnessDevice<MODEL_ARENA> device;
uint8_t window[MODEL_INPUTS];
uint8_t filled = 0;
uint32_t next = 0;
bool learned = false;

void setup() {
    pinMode(BUTTON, INPUT_PULLUP);
    pinMode(LED_BUILTIN, OUTPUT);
    Serial.begin(115200);
    device.begin(MODEL, sizeof MODEL, Serial);
    next = micros();
}

void loop() {
    device.serve();
    if ((int32_t)(micros() - next) < 0) return;
    next += PERIOD_US;
    window[filled] = modelByte(filled, analogRead(A0));
    if (++filled < WINDOW) return;
    filled = 0;
    if (digitalRead(BUTTON) == LOW) {
        device.learn(window, 0);
        learned = true;
    } else {
        device.infer(window);
        if (learned && device.save()) {
            learned = false;
            next = micros(); /* it took a while: the next window begins now */
        }
    }
    digitalWrite(LED_BUILTIN, device.result().flags & FF_NOVEL ? HIGH : LOW);
}
