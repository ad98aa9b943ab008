/**
 * The public key of a release manager of Apache ZooKeeper, from the project's published key file: RSA, of 2017, with
 * self-signatures over SHA-1 as is common there.
 */
export const releaseKey = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mQENBFjuhrUBCAC1Gd/2cx6oWIrelUteT7MP4e0reJUsv9H8aROVh2H0P0000bvd
g3S5tb7thE+MNw8koYQKBegW7PPpiBDubGGhX5EHo9gDKcK+3HVDM5JdfF98yYsZ
ZL6XiV3DuEsfN74TJFqnb1+mqZpUNAHx5vFc89ba0PeBPUgPmm8xl92zy73OEDl3
IfBe7jEJjPWhcyaoVSxYtucnyxd5jDtWqWBcqLuAfcmO4QywhNp48fXDOQM5W43V
GWZCNuF7EXVGA47rSdRf+zvc++2NaHT/AZEuVvji2EZZoxehkXRqgoyQGyySjkjn
F8Xy04/47u6E14ed1qwQI+BgoZbRSAeCmJ6RABEBAAG0JkVucmljbyBPbGl2ZWxs
aSA8ZW9saXZlbGxpQGFwYWNoZS5vcmc+iQE4BBMBAgAiBQJY7oa1AhsDBgsJCAcD
AgYVCAIJCgsEFgIDAQIeAQIXgAAKCRDcCGN8phXSLAlAB/9jWGYjdNpzT/dU/yGY
LxoMh3zrbP0cj+h9juLV5RKEjVX8tr4aQoRLXx4HnC6tVStBvL66Z+KEMp3Rja61
b35tHOmb1ZnLYIgMUQ//foa9lRFQ1xv5snZfNRGt1yw/RP8qJJJF903w1Gn5RF7J
fnubCZkCc3FYLplUITGe4z+ypCev4cyAQAPSUenPt6yoyEGnaLgIhpilLZfhMcJg
tQQWK7m8DGqEvm9aACBBXxueqFRhgkHvvYwt/l06Uu7/n2DugTfcm3f5SwVbEI2E
Pt+IRbpWGwrG9TFg+GSyDekB6IZxVbi4jLqGU86UJAo5kubH4kIRzS4CWtJfydTV
jSImuQENBFjuhrUBCADYkyMyG9dY+vDXTX5DI7gORaZf/9vaJjclgBU5szbKTT5T
NJUMLdRGiJ5TflJMA4+iuvE7uf8Sr33uhUXCri2xnrkdAFqOHZEYueDMNC6Rya2g
Gr9w/AroBUUcDi5bwrYELZKXkq4qAMse65PkOOF2w6HrDvMObAtAZyaP3ZqkBeAc
ZewYK+QMmsYGeOk1Fgm8CLZOnDbrzh78EV+2auyosyIqmKvNAkgoyprFjFr7AeAg
JLxVCrjKXvoEfINbt8X41uXQ/aOgQqFAqquATcTKtb9fgk+pRxFqawTwTGc/ZuZ1
dSl2rxeKiMMOszfcKXFTCJuEUsZjPZviTnKvYfCxABEBAAGJAR8EGAECAAkFAlju
hrUCGwwACgkQ3AhjfKYV0izz+ggAqNdRR3AKXBtMoQoCpegGl7574M3f67hGdayt
mRA8LrSVgYJO6iOJV4+i7vxgzFiTP+dJj8RJLNVD0MCanYXqakes/GzKp3O9NrX+
iNHOuqfKr0qRYT/fNrOFZ5OyC4yK5IDdXcg5uwU87iMOFfqcml8Vmkox/QHurkqs
Ri7JrVSg/6vK3wvKyTu3TdzuTfs5QvOLA09QGvX9qnAjl00cLSruoDcp5i0RxRqc
NT3h4L51AkiRU0PiGA//Qc8g+jJBREuDpG9N0NbDcjLaGY3IvpMm5NKBWtrDIsN9
5vfBZyNC2sA+rnEINTioed/cwspHmMgX0n3Jq1x4GSUMZS7q1g==
=Q0lt
-----END PGP PUBLIC KEY BLOCK-----
`;

export const releaseKeyFingerprint = "BBE7232D7991050B54C8EA0ADC08637CA615D22C";

/** A small file that it signed, below the base address of a Maven repository. */
export const signedFile = "org/apache/zookeeper/zookeeper-jute/3.8.0/zookeeper-jute-3.8.0.pom";
