"""An extension module in C forgets to free the buffer of each picture that it decodes."""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import time

SOURCE = """
#include <Python.h>
#include <stdlib.h>
#include <string.h>

static PyObject *decode(PyObject *self, PyObject *size)
{
    long n = PyLong_AsLong(size);
    unsigned char *pixels = malloc(n);
    unsigned long sum = 0;
    if (pixels == NULL)
        return PyErr_NoMemory();
    memset(pixels, 7, n);
    for (long at = 0; at < n; at += 64)
        sum += pixels[at];
    return PyLong_FromUnsignedLong(sum); /* and no free */
}

static PyMethodDef methods[] = {{"decode", decode, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "pictures", NULL, -1, methods};
PyMODINIT_FUNC PyInit_pictures(void) { return PyModule_Create(&module); }
"""


def built(folder):
    source, file = folder + "/pictures.c", folder + "/pictures.so"
    pathlib.Path(source).write_text(SOURCE)
    include = "-I" + sysconfig.get_path("include")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", include, source, "-o", file], check=True)
    loader = importlib.machinery.ExtensionFileLoader("pictures", file)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("pictures", loader))
    loader.exec_module(module)
    return module


def thumbnail(pictures, n):
    return pictures.decode(300_000 + n % 7)


def index(n):
    return sorted(str(k) for k in range(n % 2_000))


def main():
    with tempfile.TemporaryDirectory() as folder:
        pictures = built(folder)
        end = time.time() + float(sys.argv[1])
        n = 0
        while time.time() < end:
            thumbnail(pictures, n)
            index(n)
            n += 1
            time.sleep(0.01)


main()
