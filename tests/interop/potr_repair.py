"""Debian's python3-potr 1.0.2, made to work with Cryptodome at run time.

The package was moved to Cryptodome's name but still calls what only the old
PyCrypto had: `DSA.sign`, `key.y`, a callable counter. Importing this module
replaces those calls; the protocol code of potr stays as it is.
"""

from Cryptodome.Cipher import AES
from Cryptodome.Math.Numbers import Integer
from Cryptodome.PublicKey import DSA
from potr.compatcrypto import pycrypto
from potr.utils import bytes_to_long, long_to_bytes


class _CounterMode:
    """AES-CTR whose block counter is potr's: 8 bytes prefix, 8 bytes value."""

    def __init__(self, key, counter):
        self._cipher = AES.new(key, AES.MODE_CTR, nonce=counter.byteprefix(),
                               initial_value=counter.val)

    def encrypt(self, data):
        return self._cipher.encrypt(data)

    def decrypt(self, data):
        return self._cipher.decrypt(data)


def _aes_ctr(key, counter=0):
    if not isinstance(counter, pycrypto.Counter):
        counter = pycrypto.Counter(counter)
    return _CounterMode(key, counter)


def _sign(self, data):
    k = pycrypto.randrange(2, int(self.priv.q))
    r, s = self.priv._sign(Integer(bytes_to_long(data)), Integer(k))
    return long_to_bytes(int(r), 20) + long_to_bytes(int(s), 20)


def _verify(self, data, signature):
    r = Integer(bytes_to_long(signature[:20]))
    s = Integer(bytes_to_long(signature[20:]))
    return bool(self.pub._verify(Integer(bytes_to_long(data)), (r, s)))


def _generate(cls):
    key = DSA.generate(1024)
    return cls(tuple(map(int, (key.y, key.g, key.p, key.q, key.x))),
               private=True)


def repair():
    from potr import crypt
    pycrypto.AESCTR = crypt.AESCTR = _aes_ctr
    pycrypto.DSAKey.sign = _sign
    pycrypto.DSAKey.verify = _verify
    pycrypto.DSAKey.generate = classmethod(_generate)


repair()
