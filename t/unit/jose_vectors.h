// Keys and tokens: of the RFCs, and made once with an unrelated library (Python's cryptography).
#pragma once

#include <string_view>

namespace oidc::test {

// RFC 7515 A.1: HS256.
inline constexpr std::string_view kRfc7515A1Token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQo"
    "gImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOE"
    "jXk";

inline constexpr std::string_view kRfc7515A1Key =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

// RFC 7515 A.2: RS256.
inline constexpr std::string_view kRfc7515A2Token =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGx"
    "lLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5R"
    "Zmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrn"
    "byTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHW"
    "EsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
    "cN_IoypGlUPQGe77Rw";

inline constexpr std::string_view kRfc7515A2Key =
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"
    "4"
    "qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OM"
    "g0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3"
    "qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4F"
    "RWyuXpoQ\",\"e\":\"AQAB\"}";

// RFC 7515 A.3: ES256.
inline constexpr std::string_view kRfc7515A3Token =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGx"
    "lLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8I"
    "SlSApmWQxfKTUJqPP3-Kg6NU1Q";

inline constexpr std::string_view kRfc7515A3Key =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
    "\"x_FEzRu"
    "9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";

// RFC 7515 A.4: ES512. The payload is not JSON.
inline constexpr std::string_view kRfc7515A4Token =
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPW"
    "ROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKv"
    "U8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";

inline constexpr std::string_view kRfc7515A4Key =
    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":"
    "\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_N"
    "jFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1"
    "WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}";

// RFC 7520 3.3, 3.1, 3.5: the keys. The payloads of section 4 are not JSON.
inline constexpr std::string_view kRfc7520RsaKey =
    "{\"kty\":\"RSA\",\"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-"
    "XV2jRojdNhxJW"
    "TDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBo"
    "rdaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQ"
    "bS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5g"
    "HdrNP5zw\",\"e\":\"AQAB\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\"}";

inline constexpr std::string_view kRfc7520EcKey =
    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_"
    "oJXu9A5R"
    "kTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt\",\"y\":\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHi"
    "raVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":"
    "\"si"
    "g\"}";

inline constexpr std::string_view kRfc7520MacKey = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";

// RFC 7520 4.1 to 4.4.
inline constexpr std::string_view kRfc7520Rs256Token =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGF"
    "uZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9"
    "hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW9"
    "1IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKt"
    "ainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0R"
    "nltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS"
    "_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH"
    "84ogoree7vjbU5y18kDquDg";

inline constexpr std::string_view kRfc7520Ps384Token =
    "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGF"
    "uZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9"
    "hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW9"
    "1IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1"
    "xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFl"
    "fz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2"
    "Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfm"
    "WjwZ6oD4ifKo8DYM-X72Eaw";

inline constexpr std::string_view kRfc7520Es512Token =
    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGF"
    "uZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9"
    "hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW9"
    "1IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUII"
    "UnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IE"
    "KBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2";

inline constexpr std::string_view kRfc7520Hs256Token =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.SXTigJl"
    "zIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB"
    "0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2h"
    "lcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";

// RFC 8037 A.4: EdDSA on Ed25519. The payload is not JSON.
inline constexpr std::string_view kRfc8037Token =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09P"
    "GcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

inline constexpr std::string_view kRfc8037Key =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";

// Made for these tests; the claims are {"iss":"https://issuer.test","sub":"alice"}.
inline constexpr std::string_view kRsaKey =
    "{\"kty\":\"RSA\",\"kid\":\"rsa\",\"n\":\"o284yDsnN03lyWATgQ7eFcE6DJT7HlpyA_ltkk_"
    "Koamv0PujFpOhvAcv64"
    "TkDL4GviNga5BrkfKWMmYXHsMoDyYcqJaE2p36fPpbqQ-o3fqSluoMLc71Yl6HnSsIMJKEWi5XvoXeoDeVEpLGkU"
    "FkPRWwwNGsu5AzwXazlMHIsDxkUadkUGBxQxVnBUdv-VtZHX7CutcIvKXcjDU21xS3w7OECIfSUKsTvand_NX7Tt"
    "2Vs7CUT59Lf9cgI1MzigySupxnofva4_IaGylzGmD799MiFEuhk18hK9KxXL249ZpZqyICBRUqWO0tW73896cxMq"
    "FYz9r1GphEqPu-ryN8zQ\",\"e\":\"AQAB\"}";

inline constexpr std::string_view kP256Key =
    "{\"kty\":\"EC\",\"kid\":\"p256\",\"crv\":\"P-256\",\"x\":\"GSbdn_Y1xAA1X3Nr3b4iOQ9FDJ6DDPBd-"
    "uaFenGBL-s\""
    ",\"y\":\"i8Q9ky18PCKv8v9R92NUS4MYXPY4JKhHMkauJ7IqAkM\"}";

inline constexpr std::string_view kP384Key =
    "{\"kty\":\"EC\",\"kid\":\"p384\",\"crv\":\"P-384\",\"x\":\"sGkobfMD3M7cRWdiVMqO0QlqpA_"
    "Vjky3ximrjFrz2Ece"
    "l8Hhm_B7NwTmQCSHqLYp\",\"y\":\"OGU2dwi43Cm6OjNMDsmRrjDNbCmfjz1yFouTOyK7iraHl_qqiAkHKb7ZRCLo5"
    "-6E\"}";

inline constexpr std::string_view kP521Key =
    "{\"kty\":\"EC\",\"kid\":\"p521\",\"crv\":\"P-521\",\"x\":"
    "\"AbhuxEATn4bivKwAJ1dbb5LtUUvtwdv5CGfcms3L4sQ6"
    "d7DlNmJwFFrxfL6jWaKl3TNm4t134kT0xz6nG1ydRQUS\",\"y\":\"AH3tcCtx09EAUIp-NlXXhkeefhoGuweJ8l43j"
    "lUqHgxxvpZ8LWS4zLj3mDWQcim30rqsKUXB8pm12lEwAjL1_Rjk\"}";

inline constexpr std::string_view kEd25519Key =
    "{\"kty\":\"OKP\",\"kid\":\"ed25519\",\"crv\":\"Ed25519\",\"x\":\"9gansn-V2Cc138JRoWu8Rux2fJ-T_"
    "VsPeIP539"
    "WlJ1I\"}";

inline constexpr std::string_view kEd448Key =
    "{\"kty\":\"OKP\",\"kid\":\"ed448\",\"crv\":\"Ed448\",\"x\":"
    "\"J98PBT3GAvzMz5Qu1vkiqdsSE4w6OH44ZqjNUL-cnP"
    "WoZHtJqlEnHvan4llj5TXF_fmYF4wixoUA\"}";

inline constexpr std::string_view kRs256Token =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.PuaLks-Ce2DUT-kTLiTHN7Uo3XT5WXbnuISlEjlosXWK5bMOdAbEqEtm1qlrDf57r3x8lkZb3tmHPcv5"
    "hazLIS4lNb50U2kjKLKew-bU8rjL0IvI6oJMNUpd9SwdOd3f1e4CcW_FZSkOKkAwYKYthKOXkZ1WwSY7jN4QM7e6"
    "i70FhNcVPIp6tYtonHl-phWeYkffY4mLDoLDN4TIOI18e6yvP1wSByiJj5OSjEN6SJvz3StCZDxzOhJyw3gONbqU"
    "Md6iIjretzld_8OwSgHkP-QSMraaj-qneGze10D7M5bjVwNaHbrTOo8OWEeTkG2uFSAXRGV9QTOeN328MU_ZMA";

inline constexpr std::string_view kPs256Token =
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.OjpOA8OCXWfwbnl4RkRsulZghMUSJeCURwQd0EG6NzAPnWSd6MG47hzkFjI6thIAnMnyS_hfnfy61zpQ"
    "BIcd5YHZcqKCx8QK_XM5TDQm9qKowzxn9xZ7bXfDGpSgo18tmQtIm5otwN4XJ_Zo9BKZoEepovWL7QmaOG9NL2Si"
    "ykjzQOE4EnZ_MuicZH4GBmCZPIp6rsOm5TwzA0Nepe3pCNT66oOKSRqJw7kYy7aLd3YSX5wvsVv3Gp1QRSE-yV2N"
    "fYj0aXB3mG2qIJk3EK4rp_mWmzbEPIe-fsbACupRJODVY6TUu6t1jhWWwJdFwylebGPiUJRQACIt9lcnbSwqCA";

inline constexpr std::string_view kRs384Token =
    "eyJhbGciOiJSUzM4NCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.j7JgEzVZeX9VVHjZOIFhccGdXu8oUXNnkJENLlFV3bAVW84HzDmntu6JS2e4cMVBiATdf2hJ8agtrx7R"
    "iqWsUGhWM68g3ypRvxD9D1hIDj4nKfiogDErHJdpe4BE_nc-fM-zF_LWBX1O0aIqg0WT0DnO4vnn_pSwJLkYAHjj"
    "yD0dsagJQOkw3MtlOldmCXZzd67ayueY6MtSccbcuKHOaciKxRmH6lq0me6ns1D5MWP1Mh4061xWOYLCm0BocF4V"
    "cwPfjTOcC2HKXOTQ2s_xwTBHqn4ErwThv3tkg_Pdm3oDXomzKRHu7efrslHiPqNMZ-tkaXeYXLbXZVcCs-qPyg";

inline constexpr std::string_view kPs384Token =
    "eyJhbGciOiJQUzM4NCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.avLGIiH9Xyhs-tRxJMHC5bocBmrTrdrr8iOBn8CUEvkeyPKXSSxJMdP1VomWfLhyCWC6vll61SotxQ89"
    "OdmNKI8x_QXIZjN5JaLAns5TZnmfG5e_SGP8CcIrlwb0NTOH0Zy0hyny0Vie4FFE-iX0EF4G-k0HzCFVJUFMEoPz"
    "fG_3uLYYawGPV_gE51Jm5CevY-xQmyS-XvPXdRjidCUgW511XyuCMuK5O-dXFpwNK8hhaDOMJkXchAHELK85msc6"
    "NbIXwOGB4b_YWv9L_CW74yH1t8jQY-v7LgyRMpHSH3qf-juADz9N42J9Vy4dQ2Tjzze7cUn9cR465K4VaRIcaQ";

inline constexpr std::string_view kRs512Token =
    "eyJhbGciOiJSUzUxMiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.MU4RdCmz6D9zl2MVRX2s7PhziN36x8TbinsaUqV_xRwT5nc1FhMFD0ssdr2SkMAlF3UdDfbLFa8VCs0h"
    "XjiLeyJV6vNWk78FUGXz4tLpBkjldbluXCaZB2YiRvv7iENUuBQv47_qKWomco-lwNxORX6620oYYSn5_ydDp3jm"
    "TGrd5mbrT6wOfs1WCh7daFY5GCEFnjaK1nx1ucldj2Yo4YPKrGzhbx--a6sW-YPtPmJ-yEEKIBwoHozG7-2P-zEx"
    "4B6l3Fmtw1CrVII7KLT-Fab3b4xgdxvcBZVG_jCJNiklwhYnt2-KBPUMtIerWcpowS0oIOkUBYqckBe3FjvMxA";

inline constexpr std::string_view kPs512Token =
    "eyJhbGciOiJQUzUxMiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.hHJyCxaYtvAiJfPxdN2a8sPqI2cGnpcSdwAIxsZsS1MeM4_r-6dr5jzkjT1-TCJLTSMyl8X6ZgNIdkcG"
    "ZkjKh7IFivo4a181JWVqyccEFpJnvJYpADB6BVqL73UNpRcNjlBPWHNVllxrwYqOEHZ4ZEt_fCo9hdZaeHa9Xkiu"
    "714GeIQIDiwPOuRZuBUhFeCEVAQ5rK89J2bV8hcnnfeOn__LKkmmlBHmpWzLBW_N03QqABVeDwtJHx06z37ouaOH"
    "FKyErOGLIsQc-fRqUZd48lpaa7mltAWV3ELJDBZEXfVV4tSPHHoxfi9-6BSR2eRpLjyEuOF0INzctAnMDid5cg";

inline constexpr std::string_view kEs256Token =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InAyNTYifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiY"
    "WxpY2UifQ.AUlfm1ZXQ8nYK2XKWZeYBjiiBarPg7eR36jFaZjeR3eX95ytPyyb1a7lwrgOumXkKckidZnkzKnuKl"
    "HEBNxjJA";

inline constexpr std::string_view kEs384Token =
    "eyJhbGciOiJFUzM4NCIsImtpZCI6InAzODQifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiY"
    "WxpY2UifQ.FhyNjaHacLZg2WzW1D6ThE0-jS_2OI1oG-aMkdHBCB5Z77O-fA3jc9gTGua8rPM40Hnn7R50oCDY28"
    "JImi2J3Io0xkqwXYbtliympNkMScx2DyMmG4Vx5X2Ugwno644z";

inline constexpr std::string_view kEs512Token =
    "eyJhbGciOiJFUzUxMiIsImtpZCI6InA1MjEifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiY"
    "WxpY2UifQ.AalAhgeUAO7a22c1Z9flJWq6ESNITim_x4HSWQZjBlf2OBjss64ohAA_FeHGmVzYULrTTVSub1uBoD"
    "hYYBBEVq7QAHo68bWypDdozP-zePgmFmump9zjIcMyXYnr4eB0tJXJiQnk5Vqv_SOsRKu-6P1ItfazdI7B3Ez6Kp"
    "D5ur5krkkK";

inline constexpr std::string_view kEdDsaToken =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkMjU1MTkifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViI"
    "joiYWxpY2UifQ.bWcjVRL5B-llTI5YU90q01qtpwg1j8GdnbQ-jSq7QHGsmCyZqEhSsCBNNzu7WXEyPxN08RYJtt"
    "B7VM5lunluCA";

// RFC 9864: the fully specified name.
inline constexpr std::string_view kEd25519Token =
    "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiZWQyNTUxOSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3V"
    "iIjoiYWxpY2UifQ.1jzRfSTf87-uQmLRb97cVsw5jaEt0GnBGas70t-_KG9LgNO_xnOqztzdug4TvMXQggVocpEg"
    "CmtHzDDdxMZDDw";

inline constexpr std::string_view kEdDsa448Token =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkNDQ4In0.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoi"
    "YWxpY2UifQ.uoP5A-Lf2XDvEYmbeVgMfUbG5d9uEPR_Nnnm2Irw6pWAWJ1GOMU9Yn5v9VTguMdQbUawyifwvBuA1"
    "zOWPy6Bw6hZqPAIcl3snwVh6Vzhgtpq2AGU79cuUqHwBnIndd16GYRHaq-4hQnhfb66JBawWwUA";

// Says Ed25519 and is signed with Ed448.
inline constexpr std::string_view kEd25519On448Token =
    "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiZWQ0NDgifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViI"
    "joiYWxpY2UifQ.TESyM0xwt8_7ngHRps4q4mW3cN6zETt8u54ENpfQFVLrkrIun1VhABG4iTGVKNHffLplkPOnkV"
    "IAl0x7AEJ9fn6wnN2IVyOAbsFyfYtXcaDDPXEvBnS9pFbOt8kquv7vOXbigsvSC4dp9wmhT3qEvTwA";

// A salt of 20 bytes, of the largest length, MGF1 with another hash.
inline constexpr std::string_view kPs256ShortSaltToken =
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.C9rmljRjx3Tud5YLBmWaCSg6p4C0NOy4SiZLppYcZdO5byfC_SnSWCJH7JQQL2fgKReTlbf0-V1Gol4H"
    "8DAzfCdy-zYjY1RPSq_UAhBsfK20RYy-iqldjVe7pyovQIz9KIxFG0tKVlhADgMgP69hoZjoeyfan0zwpG56vYiQ"
    "CrVa45-lWs-wk5ylVt5CId0M9rsvZOO5s-JBPfjvH0OgbQZkaypFA3d3JnrhWAjUxIMLSJSiHx-OirZhcLqzAFk0"
    "eLs-KOmPLvv7L6J8uSQLD0yaCbVC7O1p7QmMLp5T-xAlbanNIP3fmC9JAYWQgU42bG69C7_fxcU7yO3WicFmGA";

inline constexpr std::string_view kPs256LongSaltToken =
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.BV4ShpPB_xzqVxB9nN8sixi1zg0ez6c3vdpaCVfDsrrDGgzaMJQ-Smz70HDIRQUAXAHuLkA-SPFuwp6J"
    "TKCkACfozgqmethE2M3wcukuhtllJp481MeAwtHUQT1Eii0SImvoYZ6RP2p7QeGRNWor4eVYxMRd76bO9KOWsMvL"
    "5QxUmprOUBuFPXydUe6rt_OwtQs45iKf-PCkxDHZG4ewfFLA3dddPVyurSeCgQi7CLnM7CYavAq5Opf8EQyZNgdg"
    "nmuOVrxb1snDn6cRh6x1O28kxxweKHftxR6eU8WmR___6fgAg1a9f7Y7Xqkvhrh0VAtlB0KmgwA5zVG3wPWjOQ";

inline constexpr std::string_view kPs256OtherMgfToken =
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.ZfkmbtlxoZD_C2rNB_Y-VTUHghVR-BGYfe1LE8HDoyuULP8LlbqsoUyYF2P2OoP4cscFvflVHQm_RMuW"
    "gwdY2pbLYQyQO93tdTAivcv7G8GTFEUFX4Hmha8uoQnCO7rUrxcVVRlSKkq0dIKGoAPQC82z1N7pIGei4DLG0_q9"
    "pC7NE2NzCcr0IntCoiLF3rabd1QmjZn8UW7iHDeCXaHTOn-feCUpf4d4m4rmtpIuFflxIu75GHNwkSEXKa985UDv"
    "xDgYlO0ctB7gYQJ2BvK5PyNPB9bym3I44OdnWAXuj-tQFseEmc0H-TZ92HPaK-Re98KfVIdIOp4Q-lbkvkzfzw";

// PKCS#1 v1.5 under the name PS256.
inline constexpr std::string_view kPs256AsPkcs1Token =
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.azbHOQz8_ut8EpxGQ5wyjt1-KgB38TyZclam_3xbkp9mdeTCmXK5SFjwSug6zFc68K0ejKL8dLRYaouL"
    "r-6phwi0w0lJGQGCb26OJS4VpE4YHxxPRD1RUM8uKLxZEyOHKo0aPQb4zjK-RmJ01cG9ELsOpjGahCKzzls27ZCm"
    "Qj1T7K7e3tY1S8y5KDob5MTFVlsKx1MSn_D8jMUru9WxBT02bgLYuxp_GdV5vu-e9wU_3YCh-VZB6qLCnP1fkX8U"
    "qrY5E9gjH180hGSWcsZIagr4riS_0Pd3eWqhdO84IFDcJVvrtK2W2Q5vevsP-nPCL7lUwQrnmyh99I-JwqUaBA";

// SHA-512 under the name RS256.
inline constexpr std::string_view kRs256OtherHashToken =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.faPMiBKEoMDYYtULd8bZiLFdhJ6kKxYzZ3Lccn8a49JDf2xIzUu6nJSCzf4H-BoZx4SH68mr6YLlWhgq"
    "J-4mhunfqtFQFr-opHcm_480KerMI6W_2mB-KFeyFSJOsuc-_OVuDe1Stg9G3ys7ERSTaVrDV5hwYG2W9_-tzuWq"
    "iztJxeVvgx_QvkJYtBfY2f5qH5u3WLcpuwjaJrJLjvQsZp6XDNHXatut5EZQ-j_C8gNbTzCAQbIv2gDMBTNPi733"
    "yWssdLjSBlKJ3Z5HpmkzKPYOHfty3aHPQYd7AraztVquLOw6EKNxNYkzbdMgCYwKuq25Gvk1F2RXDJz0qq2LPw";

// DER where r and s belong.
inline constexpr std::string_view kEs256DerToken =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InAyNTYifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiY"
    "WxpY2UifQ.MEUCIBtFJaplOVsnTq80Tkm-MEnHn6R57gdociPG-Up6b-APAiEAmQmrZ3NLxR7gJWQ0_39kIoecPY"
    "q3h5sgmKwuSi6Vopc";

inline constexpr std::string_view kHsSecret =
    "the secret of a client, of 64 bytes, so that it will suit HS512.";

inline constexpr std::string_view kHs256Token =
    "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWxpY2UifQ.A5KLH4LZ"
    "-bCkMah2pBiioEIal0d6HbxD6R2wHoyLlhk";

inline constexpr std::string_view kHs384Token =
    "eyJhbGciOiJIUzM4NCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWxpY2UifQ.te64_WTX"
    "oQY_KxZBM3rIqe2m7j9ng7JK-kcxXEkcd9zMXa6730XGJcnacPpPUDZY";

inline constexpr std::string_view kHs512Token =
    "eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWxpY2UifQ.ZfkjjLT7"
    "boDHMEvejsBa9vcN0DXxyGWLB-xsXpVRsjY6lrexVgMFc5wOmuVQ9CKoCliIUHVx7a5c9Eu_0gGeSA";

// HS256 keyed with the text of the public RSA key.
inline constexpr std::string_view kConfusionToken =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjoiYWx"
    "pY2UifQ.2JCXn4OTcETsn9t-Q3uGSYnuBBDOskS1DK0fBRP_7tg";

inline constexpr std::string_view kRsa1024Key =
    "{\"kty\":\"RSA\",\"kid\":\"small\",\"n\":\"1d06S-PL1aeQX9XA2hUI3iyyRax7GaAkdKR-hoATYjaIbmQn-"
    "y2iXg8n"
    "4SKm-tm835eVmwkthQBi1ke1FBCMBH25bSsPK4WkCoOCCR2K0ejD-Yw6uOvkZT9A4_KPpUwv1qtoBaf97t-mI-0S"
    "zoyFO8w8G6FWLed9sH83ic3MpMs\",\"e\":\"AQAB\"}";

inline constexpr std::string_view kOffCurveKey =
    "{\"kty\":\"EC\",\"kid\":\"off\",\"crv\":\"P-256\",\"x\":\"GSbdn_Y1xAA1X3Nr3b4iOQ9FDJ6DDPBd-"
    "uaFenGBL-s\","
    "\"y\":\"i8Q9ky18PCKv8v9R92NUS4MYXPY4JKhHMkauJ7IqAkI\"}";

inline constexpr std::string_view kOtherRsaKey =
    "{\"kty\":\"RSA\",\"kid\":\"other\",\"n\":\"qOI-Ola_cfpn_wQPAOsOQY8tau-"
    "1ipBMAYPUsxNH8ycHtG7vZAnc9XXN"
    "FmcHu9ZmRqsGpGMm4BAC8y-VKePZyvepu3TeLadsyanoB3RTWxluS8fQKZ_hxRhS59nMyUyVo62V3GsoRGKiArAU"
    "fIK9C4nWwhE3Xojv3sOZP6VBONJeStf9yIr9KIq_wpHvqcdmrF4zqo0zZr2eLskCXaid7gIaOz8OukoakMBLxwe1"
    "tK1naLvQ4koqH-1TWq5XK2Tm6HZrZswJIap9jJ7NTPDHmgQUB6R9_jLVgyw0nGwRMtYkt5cbfvrhG2VFtgaF6g6Q"
    "JG84KhU5AMRhP8q9142EOQ\",\"e\":\"AQAB\"}";

}  // namespace oidc::test
