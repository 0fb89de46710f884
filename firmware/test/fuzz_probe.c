/* Links only where the compiler brings libFuzzer. */
int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size) {
    return data && size ? 0 : 0;
}
