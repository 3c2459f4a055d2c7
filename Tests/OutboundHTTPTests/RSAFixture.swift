/// Private keys, made for these tests only; of 2048 bits where nothing else is said.
enum RSAFixture {
    /// By PKCS #8.
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC1ZxPHs4qu38dK
        rJboTRxDAN856KnxC8GBAtuyKwhSzdVsdEWgL6Vbl47JhDnwEcVLL9KVoXjCMMoB
        17EU8QG5MhGvtIvXQMFZCXFdt7RIvZzAUlmVlfhB7RuCM1mGgQVO5MezjYgwlk1T
        FM6j7u0HFO3EqkrO/3tG9UfngK6jPG2D1b1SIzQLxHd92o4tuQsu9nki1S4nAkoi
        ieD3t4i8YFGSWjSZMLoo+W+rsg5i53Bp/HlmMBQFCQ87eZsrnBCexLHpNdFxGjWh
        6AWal+dgZ+Pg3EgjOwkgkZ6he2DIpnr03s8vTFjoIBFJkNoDaX84OQJ5LO2UTnY/
        7Azb2bovAgMBAAECggEAFmxQaJ4L5YPp2ZQt7zcg6DNiZIEbCJ3AZJca2xIwrDOf
        TxGsTZm2IfVBBC3hD4jSz3Fw4WgdSjvHrKSh0gncgazrvMFfi9MIU140cjY0Bc3S
        Y3+KbVAlaNjLTrPUPCkUo+TpvosfK4pYso1e4aq2B+sRXP8D0kSIU4QcSESC0dB/
        cNjCZpQc7vFxTWhkbq6R662pEgGCh14QK2h/CJVnBy5F/9mCcoQ8FJNgJPF4Zc2T
        wQOML2wg76NQX4qkfWdxnZt09LwViS3gkjxd0z3BLnrNo8MVuOptX94HiRrD6+Z8
        8LUk8mjDGLMxuHjNmEYEcyspxBwHN9tPojIuSPFU6QKBgQD8ux+qQCK3mLPMAcDR
        jTg3wcItQwp4QN1P6p36nvFKeUVPPDybCvHxMObpJFRyPzl3qmMekFV2TCo3ikNM
        uWVaR8lyTe2rjV4bxWiVFGsSY9db/8EfX4MqDCo5jdBjcNIDceu743wc49OZTdZK
        skEyrXQ0wTOU96ffY+0U7mMUZQKBgQC3v8MF6eJKfIiWibrwUuwv6jsxf3QbV5rl
        QIcMAz+KTrGM/3MSPTrxRC9SqVE+PnphlP3G0SrGz5Vu2DUSr+aqjQxr79A2qVKw
        Fs2+t6z1+H0Pjmo1sHfu7yItAymlUCtoBVUtCJNa2ETvMWcBLFKnMxaOuqqmMjOk
        DXUcCy45AwKBgQDdNaBisV5x2svNDd/Ky1PgocynN13rocLUl2QNoJ9Mc1cyImRd
        xLe+R/JlMLJliWdwkYfOkcDsGYB+OpvrhP7shZcSYJleJg+wORrwGf4aC5/N288a
        +cvhuuIenD1BPNflwgn23Aefdd6Y+eNOYDXm+KGVJ2JRym96fYlfX8UDbQKBgHwz
        /9RgepiUwxLWeGj39DSTJH3ZxBazSb1Kt74z9+A6PyOqjBK5Fr18tGwwjP0A6GJL
        fprESiDmsgCh3oYKJmYEP3A6Qsif/YePcnVG3H/K/mXkgwBVj0wPkk9Qwva+UQjY
        CfINyOTwKPBxuUl+t0PTcZz6qlz6tBNhEVbqa80XAoGBANofnNknN3PI00koUs3u
        x6JfxT+1TTa3cQ+G9qs/lQQzWCohCySiCqLibG4Z1iGYqw+tqeGLrxy9u+Eta1vF
        kHIgfAB27aZlywDJeI2petZfG3stOERaZGc/ZuXRoBWKsY/FygBbKU7jx8Sf3Kq1
        0ODnnJWUNSe1oVePLCQ7r3ii
        -----END PRIVATE KEY-----
        """

    /// The same key by PKCS #1.
    static let keyPKCS1 = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEpAIBAAKCAQEAtWcTx7OKrt/HSqyW6E0cQwDfOeip8QvBgQLbsisIUs3VbHRF
        oC+lW5eOyYQ58BHFSy/SlaF4wjDKAdexFPEBuTIRr7SL10DBWQlxXbe0SL2cwFJZ
        lZX4Qe0bgjNZhoEFTuTHs42IMJZNUxTOo+7tBxTtxKpKzv97RvVH54Cuozxtg9W9
        UiM0C8R3fdqOLbkLLvZ5ItUuJwJKIong97eIvGBRklo0mTC6KPlvq7IOYudwafx5
        ZjAUBQkPO3mbK5wQnsSx6TXRcRo1oegFmpfnYGfj4NxIIzsJIJGeoXtgyKZ69N7P
        L0xY6CARSZDaA2l/ODkCeSztlE52P+wM29m6LwIDAQABAoIBABZsUGieC+WD6dmU
        Le83IOgzYmSBGwidwGSXGtsSMKwzn08RrE2ZtiH1QQQt4Q+I0s9xcOFoHUo7x6yk
        odIJ3IGs67zBX4vTCFNeNHI2NAXN0mN/im1QJWjYy06z1DwpFKPk6b6LHyuKWLKN
        XuGqtgfrEVz/A9JEiFOEHEhEgtHQf3DYwmaUHO7xcU1oZG6ukeutqRIBgodeECto
        fwiVZwcuRf/ZgnKEPBSTYCTxeGXNk8EDjC9sIO+jUF+KpH1ncZ2bdPS8FYkt4JI8
        XdM9wS56zaPDFbjqbV/eB4kaw+vmfPC1JPJowxizMbh4zZhGBHMrKcQcBzfbT6Iy
        LkjxVOkCgYEA/LsfqkAit5izzAHA0Y04N8HCLUMKeEDdT+qd+p7xSnlFTzw8mwrx
        8TDm6SRUcj85d6pjHpBVdkwqN4pDTLllWkfJck3tq41eG8VolRRrEmPXW//BH1+D
        KgwqOY3QY3DSA3Hru+N8HOPTmU3WSrJBMq10NMEzlPen32PtFO5jFGUCgYEAt7/D
        BeniSnyIlom68FLsL+o7MX90G1ea5UCHDAM/ik6xjP9zEj068UQvUqlRPj56YZT9
        xtEqxs+Vbtg1Eq/mqo0Ma+/QNqlSsBbNvres9fh9D45qNbB37u8iLQMppVAraAVV
        LQiTWthE7zFnASxSpzMWjrqqpjIzpA11HAsuOQMCgYEA3TWgYrFecdrLzQ3fystT
        4KHMpzdd66HC1JdkDaCfTHNXMiJkXcS3vkfyZTCyZYlncJGHzpHA7BmAfjqb64T+
        7IWXEmCZXiYPsDka8Bn+GgufzdvPGvnL4briHpw9QTzX5cIJ9twHn3XemPnjTmA1
        5vihlSdiUcpven2JX1/FA20CgYB8M//UYHqYlMMS1nho9/Q0kyR92cQWs0m9Sre+
        M/fgOj8jqowSuRa9fLRsMIz9AOhiS36axEog5rIAod6GCiZmBD9wOkLIn/2Hj3J1
        Rtx/yv5l5IMAVY9MD5JPUML2vlEI2AnyDcjk8CjwcblJfrdD03Gc+qpc+rQTYRFW
        6mvNFwKBgQDaH5zZJzdzyNNJKFLN7seiX8U/tU02t3EPhvarP5UEM1gqIQskogqi
        4mxuGdYhmKsPranhi68cvbvhLWtbxZByIHwAdu2mZcsAyXiNqXrWXxt7LThEWmRn
        P2bl0aAVirGPxcoAWylO48fEn9yqtdDg55yVlDUntaFXjywkO694og==
        -----END RSA PRIVATE KEY-----
        """

    /// Another one.
    static let otherKey = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEoQIBAAKCAQEAnIhO1fQr4f76UYrEkdMXP1rAeAgnBHaGmUh78YR01lSumCnr
        3ScWrQdO0Ex1ZKSbH5bRL6M0WLozQCpqJvFPTjbfkjhRaa/B22wirCWzOanUpG3q
        3w2QtAA6mA/Fr3zNNXcoYd+UnEzQQhO4Ne6mKPNqq3KnxtYdDoO3CcN6B9yNp9x3
        Vg/QY0AXrhSFdQt49nEsppojKrsFz3DStiY61XfB/h40BRiqfv0VMAV+f6Y7hUeX
        DaDms1ShE+3AVA9HgwKYI0vNfGrilQgt6Ri65wkdW9H0/qaf3mS2K19376gksv92
        v6FalT64yPUbpL98MEK78NuMupWyBqWREhg4WQIDAQABAoH/aXlvpbth1mZ5RXi7
        +4bBo28DQd48bEVxbNfqrFMUZ1eoTd/xjpNINE84TCM49xfzbtWxHuhZ3W+aGSJ7
        ZMI1Lf7LpztLoGtNtQyoUFcW7UQChMmL+cCqQJ/m24/FJPpzTBN+onSFLsyTh/LB
        rZWhYPakaeJYKyMbcSxPqcSN9b0Z7qtg55rit6z12i9H7kUUCz4yK73YVxVSCML4
        7jDqBKM3tT0JPMlkkVdw/++8Idf/XA+I5Nqy5JMGQXp5jZAxqstXzpd7mZ8TWcyJ
        yeiEGeMuwTsNA13Bm++jucn16BrZ87GgO24jKQ7rjlY1y13ElhnMawE3YeRBtXoi
        Tf2pAoGBAMmBSPIp7GsXkaKarbE5LdVJWlpc0d7BtB9Xqqc2fSHTjNyd18+N+w4x
        PuIrL5d7r9avajhdduljnGEJWFU5EhkG0YvSoQDbfms2dv6dMXAqhfzQdZSPbqrl
        8PE/mIx0XXetRP16e/chKp9X9PU7C9CacnlFDNOjU0cOm8eQ3oRtAoGBAMbddKK+
        V6YdlbTZTuLnMvWTYicB5ey6wac4lHG02BOAulB1HfXwVFPNBimbphB3mjCXcqyr
        Im55nC0AMOb6SICCJSkamI9/YLRB0GwDQ5fkuZ28dqLa75SLFqWD/8eS8IHmfv7x
        9Ju2kh/zN2hCQsoUJz+s122SRqnkZggovRgdAoGBAJaphMoT0IIOAEUM0/ujXgKQ
        Mu9HYV/lgvDAUodttUfabgLyPc8hQGpPJc5jLdVclI+3XntAXs2IPf9LxnEKF98A
        eyLJXLpQYwh0k6oyDCnqkX4CuzdVuxAqluk6fKvfwZbexaukrhWMBdtYH35QJLhX
        Empb14hSIM0LPiyLw+RNAoGASrNhXsi1T/cJB1gh4+YJJGpqklCKN/SnTdNZH6VZ
        DWprklGMIZhXdOstB3AqX0EuMFaTgvz+ABW6bsUFmZ4moe9BWkFdUXn9r3iRfCF1
        wJbwiqoCvoYTPO9KYH5HFIbDxWf6CHaG9f8MwOexxn4tbI9JdwfMHKK33JWpJiN3
        dJkCgYBEX/11ufjvbtXB1uPegNCblFtbcSMfuy0WXwUR5oHG+fYbpjxCUh6x/lOj
        nhGIWsQM0YfZXpoffie7F73dL/sGOv0JYdLwmHU3hUGLNdGDBD7GwEwFtEGzLikH
        zrd1li06ri2+iW3aU+tjOAW2KSvNU6uH2OVmJ/+H6ek7/vuoTw==
        -----END RSA PRIVATE KEY-----
        """

    /// Too short to be used, by PKCS #1.
    static let shortKey = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIBOgIBAAJBAKtgnWhO5GO5+srGNzyW/fJhjBOT5KUFtkqznVFKGlu89kn16HRs
        lk9Ss9AMBZ6nVh21S+jIRQ1bFzSc3zHYT5MCAwEAAQJAPTFlYz5wTK+2vjritE7R
        5H8yTjdLuCT+/1N9Q+5q1QBhERnWXUuwRGz8VBzrhfCrcfx9bRbG8AR+3eadpcgn
        +QIhAOFeIuGz6+Vz6pszfgMkoQUeywq24KRunxWWt/y4IG71AiEAwqvWy6SutUDp
        0mN1K2ogjng/fgkFWa2mwz7EoOBsH2cCIE/yxisNWcTnTzXJmY1h5CFd4Cen4p9S
        gur0scZcR101AiEAhJ0VLRMZpQX8g0MXnaSlWwiVkCFLEMVYFiebQVDAtz8CIBy4
        tBG6OJN86haW1rVtsj/CCSi60KRbWcz1y5fYC3vg
        -----END RSA PRIVATE KEY-----
        """

    /// For whoever has the password.
    static let encryptedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIIBvTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI5ulKA+atYyUCAggA
        MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBArBMm/7crNzliEt2+d+bVtBIIB
        YOzWsSJnVI7MjNMuDb7Hw2b9IMzKGhZ5hX7K1xaQaHJL+v6KgPJyq5H27Sot4GNy
        /uhmUs0mviwgZjTmDju07/uif6mrlQaQcAtFYHJKciLygk3d/CpORVaKDqXRzf3H
        NSLbZZGi5+i6YYaDjyl7XZekAK2jyeNmfZhZLP4xqqHnFTPVObEMLvZY7Www7S3w
        c+qJNwhf/x1avAKnsQV+SO0WzaQaU4b8E8zCpMBK9nOKt7eeOJG7L5PfWYbs2wMl
        vLaag1IFthPgfF/nyutQr34ddcGe0jLh6GxIgyWBKsqnzlIolJbIlJFeyXX4VL0+
        J1xXB1Hr3VYtyO3DlavWoEAKR+gOCvcKDFuQp7jBEpZfsnmJ3ztK5OCklF3K+AMI
        tC6bg6YVzNqhsnemp5LhNin2mpaT3bXOUo18Lnlu70z8GLTW3WpHJS835fMpKgCh
        hN7F0U6k0vKVAdkR8/3kjJE=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// What `openssl dgst -sign` makes with `key` of the statement in the test of claims, by the statement's algorithm.
    static let signatures = [
        (
            "RS256",
            "V4x6rcYBmEglXIEEPGXspK-ZqjuO-Q09dIDKLMqnQJ7_4BifW8zizYt1pFn5uZ9fxMniOgcZ2IaZyH4RpNC_CsXfyZoNIgm9"
                + "M58Rh4K6HDe2BpLyUgCgtqwSjGd_pHsi7yK7gu6pKk3pGM2KVUt-zYfRqeooZXYYiMfWV2Bcc5G8QVrI0ZwWFqjzbC5SZHpD"
                + "YAKKOtlT5A0drxEvWtXUrpsYwsFkIf_rbssOd1TKrjKtYLFKI_TDocU6mkCn9IVju7L4Y6zNO8j9KqwzlOvO0hxfM4wjYwiN"
                + "vmg8eiW6aWAzLCi3Pxmg1EAnvwTQsde3WhTAS_YVa3bck29YXMH2rg"
        ),
        (
            "RS384",
            "eCVbBqYwcLCpJyVjd6lISoGEg1hppK4hgkgW2ifulXRENaRKLiUkqEqS8sLSkxvk6XYiipdzEK733FugIQXIVAAxQ-d81QLL"
                + "PUvk1lw3u0aVsHffXaHRkhTnjafrIbc-9KyzSSHVnnBg-wPGmobJsSNltmLsLpo8fOklwSuan3N9vz6Fb2_HIuGtTno8SZVk"
                + "rIJYOtpahjKpODVZovkUGr_0u5ftg8mKwsWHUbSEPgsUZZmSloxuTdMJutPePdKFB6valxl89OKvjjZe96jUVUCu6aAxFS2E"
                + "zzeiZkPya5KgXmH2HTV9P-doV9e0XBilc7JHTalYn-c12gMkKoFL0w"
        ),
        (
            "RS512",
            "lofyaRYJ_F-SvB2JFPHePVShrH-K66aNs9-BazYceFae-8BpCtq6ZShXtEoF_DiFaulGFA15YKFDykN5IJn3fS99MjXrb4ht"
                + "yrRhAJgbcWk9AkyW7uVi6TfTSWVTubnQs9XsEk6oVvUzZlNjJB7uR8CwaquKEa0UBoeCvUupXNb200CZmTZFqWxBKVUoJIjc"
                + "5IcgExrE4t9G-zoBkqYTF52osiPTr42_66g5N8pswu4nx-isvy6a4m7ijz34kVdtNsoo9ks6IbmszDgk_aX3YCb0a5jUCKqf"
                + "wRKe_ugduw_1PiSjq_vTzjtvB0bw4TaFeco6vSL9G0i9EYfvd-6D0g"
        ),
    ]
}
