/*
 * Serves the goodness link on Serial: then this board is a device of the toolkit. Make model.h for your model
 * first:
 *
 *   goodness export model.ffm --header model.h --board uno
 *
 * and try, with the board's port:
 *
 *   goodness verify --port /dev/ttyACM0 model.ffm
 *   goodness learn  --port /dev/ttyACM0 --data sensor.csv
 *   goodness sync   --port /dev/ttyACM0 --data sensor.csv
 */
#include <Goodness.h>

#include "model.h"

GoodnessDevice<MODEL_ARENA> device;

void setup() {
    Serial.begin(115200);
    device.begin(MODEL, sizeof MODEL, Serial);
}

void loop() {
    device.serve();
}
