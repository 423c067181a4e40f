export const page = '<!doctype html><title>Phone</title>'
