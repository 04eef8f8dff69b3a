// Private keys for tests, made once with an unrelated library (Python's cryptography). They open
// nothing.
#pragma once

#include <string_view>

namespace oidc::test {

inline constexpr std::string_view kPrivateRsa =
    "{\"kty\":\"RSA\",\"kid\":\"r1\",\"n\":\"nKyIo5ME_G7jF7rvJcqvYSyivNvBy-1oVQr7EjPgHeC3M47xoOfvwnd"
    "tbeKGiYuUyPF0_4qvHprwAm3D_QF-Ezj7tund6a76u5iOwH1funMloKnvWjWRZ-L10eBC4JY37lzqzW2zMmE"
    "tHOjpuJClPkiUTI0aoOkn-Da12qaoRP0uOfxzTT8CM306iHGItjayHJgRBmBePEjCvkPbN8Pd9XfmjIeZCN-"
    "2vdGRQTaLwC7on-If7hc2WOn-zyIWMQOGqhpKUAHYywnOUXLxrD7-SShWdAHSzUxSP0bcK3bcN7rP37FkN8D"
    "hQWvrbOLMfc0nU5tt4UYkzaX6JmgBwDCJ0w\",\"e\":\"AQAB\",\"d\":\"KQWVyzp54jyIclSsPDlrHSbqP0fM4L-"
    "7AxVacsQpaLlHTpUdWBOSd9j8Snq23jmxTcHG8AfYXUuVDxW9bLfg0lins5ddVsvNc6P4sJbDI1b14bDM7lI"
    "7TbejxH2TFSnP4DXs9rfD5SuDe9_SHlSlJ38qcTa646nYoMl2aRcc1N8Kc135D9ZV-beyJnhCktQ55iqGr-a"
    "jdDaxEh45tOzhCAOw9E3kLPidvyvYKdkcVyilxZTDYNnr4HIPZidSGNKryfte7PtL9vGLs8QOyT4FvOqyqWn"
    "nIJAz9-jQdiDcelaKypUP975qYJk1gsbhAM7DBa9B0hwBI6B5NA3XR3Y8QQ\",\"p\":\"2IBNuJq66RIQa5O0cB"
    "Sq4slMe9AwJ6A-H2FQI9k-7p-ajDhtyErBUjDZiHbHauScxH9I-bKHdkaSK84k04fFeUQGeLQP5P0BbH68hX"
    "0tbp3Sk3P0l_9XdqWAcyQSYKzN8lwOlPxiVLUd_L4kZ6DCHVkfjpl-io1vRfhZAtU8SJM\",\"q\":\"uUH_SOB1"
    "yzVoAauQIzrEBUvBQAD14f31kYfLZpTWaEqkcgMjd9uyzV-ossfdLKeMjC7Spa7EkxQRL5COvOGy4zxcp2u9"
    "L2jUoF-JAkNUzP5-XqHJNOPDTewSFosdGg1vX5rOoBstGywL9aZgOsCRCQCHgFil55Sq6MaiC8A9wcE\",\"dp"
    "\":\"0_ZRoXIDmppv7xLOLoldgOl58yIxcypEh-57So2wOmmSIsRAXz8pJDHlV-CKftHR1eOUa7rpOtf-1dpeX"
    "abopEAAYf5QLW2zDijKo5qZd1oWxvxYtNNuKx__sTrYr0Of4i9Uq3KpRquH72GtPLO8OIWACtmmdTnhfkyVw"
    "NtJyPc\",\"dq\":\"MOla1Evm7cLo9d_tC1AdpuRMXnCieotJhaXbrvbG8PwcFLn9aEzKFW0XJjSckYifE_fcx7"
    "-vyME4lF1PQlE4oMQ0FkPczCKaWMlAbCeIwSLEDIocjGlCDFWypN8PzOwVJqHBwgXKz-y-L5pAt-JVqJHKNL"
    "my-8SFpzWiXQXhiEE\",\"qi\":\"kxIH0FVvpjNYdbHewcdRnvQEwPdX6WGX9mpiDRAFxHJdm2Gp6TL38LxIAin"
    "8FUWUVLeQRX1p3w52xMjKnbTChwcsAVFqmm4aCYy5yz_AYBfYGknbVXQ1KI_49N3la4dp5yf1G2rZLVGZK1-"
    "M6my8XDC_TP94U6IK4rIuX4zmjjE\"}";

inline constexpr std::string_view kPrivateRsaWithoutPrimes =
    "{\"kty\":\"RSA\",\"n\":\"nKyIo5ME_G7jF7rvJcqvYSyivNvBy-1oVQr7EjPgHeC3M47xoOfvwndtbeKGiYuUyP"
    "F0_4qvHprwAm3D_QF-Ezj7tund6a76u5iOwH1funMloKnvWjWRZ-L10eBC4JY37lzqzW2zMmEtHOjpuJClPk"
    "iUTI0aoOkn-Da12qaoRP0uOfxzTT8CM306iHGItjayHJgRBmBePEjCvkPbN8Pd9XfmjIeZCN-2vdGRQTaLwC"
    "7on-If7hc2WOn-zyIWMQOGqhpKUAHYywnOUXLxrD7-SShWdAHSzUxSP0bcK3bcN7rP37FkN8DhQWvrbOLMfc"
    "0nU5tt4UYkzaX6JmgBwDCJ0w\",\"e\":\"AQAB\",\"d\":\"KQWVyzp54jyIclSsPDlrHSbqP0fM4L-7AxVacsQpaL"
    "lHTpUdWBOSd9j8Snq23jmxTcHG8AfYXUuVDxW9bLfg0lins5ddVsvNc6P4sJbDI1b14bDM7lI7TbejxH2TFS"
    "nP4DXs9rfD5SuDe9_SHlSlJ38qcTa646nYoMl2aRcc1N8Kc135D9ZV-beyJnhCktQ55iqGr-ajdDaxEh45tO"
    "zhCAOw9E3kLPidvyvYKdkcVyilxZTDYNnr4HIPZidSGNKryfte7PtL9vGLs8QOyT4FvOqyqWnnIJAz9-jQdi"
    "DcelaKypUP975qYJk1gsbhAM7DBa9B0hwBI6B5NA3XR3Y8QQ\"}";

inline constexpr std::string_view kPrivateRsaSmall =
    "{\"kty\":\"RSA\",\"n\":\"7FXui9GdqjANHSjMRMchVbp5c28uR2RQlrCke3_vDWsm2jd1a5G22Jej4bFaKXvdac"
    "mo8eTwGFMIbBGVqaPv729gE99Iev4B5qwGmsBHkorTWZxUdiv5J3525gSu1_DbHjWwE-Y3a-OHwPXvFLkNUI"
    "b3QkYoGM0BYD0F8DTsMm8\",\"e\":\"AQAB\",\"d\":\"44EVUaNHkz0OYrOTb-IBRPVtVKICetcmfOkubXSKOvCbR"
    "hV9A0ASNA5FxE1l7ek_C0cFS1aHieLkiKOk3tjhblLHN0gSiOpvD9grJKFkgXdJQzL9JfDl_Om9zHrk1prll"
    "H-QlPhTfgPiy4lzQuMzvekoJFB9ms1Imw2bfIfFPAE\"}";

inline constexpr std::string_view kPrivateP256 =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"s4A5wN3T-fRGF118UtWtoeZWkgGznBCle9gk3ab-otI\",\"y\":\"HN6"
    "S9-uk89EzIDpkI1Qp1MWyqMl4yCPB5tIvIEr4LiA\",\"d\":\"8R0Ji2FV4VqNgsBnGYF8p6xrwSfv9CS-8rM9n"
    "aBsl-4\"}";

inline constexpr std::string_view kPrivateP384 =
    "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"H1EUi4ICK7XGbmaKXtKxHHKJYXi7wabeyPq-W85bbp0Rm3fbUzaaC"
    "ms8K4dUfmlY\",\"y\":\"6YHaxPQbo9FBpWHFkDMsuZ8yxPa7IntOAXPwR06tzGHXv7eiBsEZzTRdr0vEeY8P\","
    "\"d\":\"UGj6fuBDyZjkNQ0WGfsRWXoriSsHdf6mZo3cOAMYvPQsOjYbk-WBXvM__-iEkhLw\"}";

inline constexpr std::string_view kPrivateP521 =
    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AHMdeDuT0iGqMxvLqm2wkYBDt3r8u5y269NymBk5ktkXcVzRqT3Ed"
    "k7ED0wjFLNxNv23JH0ZqLc_KSZakmHDblS0\",\"y\":\"AT_R74ICQSPz_RMQK_wroMjwhkgjN0MMrIPJk33izC"
    "0MsqwM7W4cmBIFiSTaKpvJfblaCDk464Yv1iJmxR6nkxp0\",\"d\":\"AYqI9jany4GdaRNBzGXvqFC8jZglWYa"
    "8IHs4VDXo6j9qd0-j31OG2lXfveMjcN3K36QOprgkNKZ_0v6ZFc4_ql-a\"}";

// RFC 8037 A.1.
inline constexpr std::string_view kPrivateEd25519 =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\"x\":\""
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";

inline constexpr std::string_view kPrivateEd448 =
    "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"d\":\"l7TnQTMjWBCMPw0qp8EH0fS8ntFv-4x95BGHscBGtFoITdaouKav"
    "0jgLUsWzFB0M_fSJrGOZPmbv\",\"x\":\"97kl0xXl_jPlrnjbfFitZau4ZtUiq0XfZBusTx01YsNWMGKmk1q0u"
    "TnmjzYbZfYL8L7LTJEREcoA\"}";

inline constexpr std::string_view kPrivatePem =
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvE3hhyZZ"
    "pHCKWQD2\nAI09BQwrVKKaLjzBzB7R31YV7X6hRANCAARcZBkB6TQuEytk8AjjU+eXzUQOwFXN\nCFGgr+Cug4"
    "8bxP5dhGAHJF0lNotNTRLPotZZwX3dl3D+CuaGxxrLX2i9\n-----END PRIVATE KEY-----\n";

inline constexpr std::string_view kPrivateEncryptedPem =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBB"
    "BxY9AIF4eQeOK4H3Dq\nLr3JAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQWVCA1emZshEaVaal\n"
    "FFfl7gSBkEmra6EofuJ8d4aOaR0SYY3/H058Bqb8Y+rrCaatbBv3SVxP5WtvUjnZ\nRFO8EB1ZV7FlgoGB2MQ"
    "y+dCjODDuACE/mSHgM7/3Ol4Uh0blZJbDT381tdLspMee\n+1T4JfXVkoWMRYYl7tie9Wq3uYH9duV/mLL+PQ"
    "TrgRlhaCbEZyI2renfWQQxEl1y\nDNGePBg29g==\n-----END ENCRYPTED PRIVATE KEY-----\n";

inline constexpr std::string_view kPublicPem =
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXGQZAek0LhMrZPAI41Pnl"
    "81EDsBV\nzQhRoK/groOPG8T+XYRgByRdJTaLTU0Sz6LWWcF93Zdw/grmhscay19ovQ==\n-----END PUBLIC"
    " KEY-----\n";

}  // namespace oidc::test
