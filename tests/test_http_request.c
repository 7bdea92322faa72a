/* Tests of src/http/head.c, target.c and framing.c: heads of requests. */
#include "test.h"
#include "test_http_helpers.h"

/* ---- What is right ---- */

static const struct {
    const char *bytes, *trace;
} good[] = {
    { "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 keeps\nHost=a\ndone\nleft 0\n" },
    { "GET / HTTP/1.1\r\nHost:a\r\n\r\nGET",
      " method=GET target=/ host=a path=/ 1.1 keeps\nHost=a\ndone\nleft 3\n" },
    { "GET /a?b=%20{c}|d HTTP/1.1\r\nHost: a:80\r\n\r\n",
      " method=GET target=/a?b=%20{c}|d host=a:80 path=/a?b=%20{c}|d 1.1 keeps\nHost=a:80\ndone\nleft 0\n" },
    { "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 keeps\nHost=a\ndone\nleft 0\n" },
    /* Values: blanks around, tabs inside, empty, bytes above 127, each length around a word. */
    { "GET / HTTP/1.1\r\nHost: a\r\nX: \t b\tc  \t\r\nY:\r\nW: \t\r\nZ: \xc3\xa9\xff\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 keeps\nHost=a\nX=b\tc\nY=\nW=\nZ=\xc3\xa9\xff\ndone\nleft "
      "0\n" },
    { "GET / HTTP/1.1\r\nHost: a\r\nA: 1234567\r\nB: 12345678\r\nC: 123456789\r\nD: 123\t5678\t0\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 "
      "keeps\nHost=a\nA=1234567\nB=12345678\nC=123456789\nD=123\t5678\t0\n"
      "done\nleft 0\n" },
    { "GET / HTTP/1.1\r\nhOsT: a\r\n!#$%&'*+-.^_`|~09az: x\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 keeps\nhOsT=a\n!#$%&'*+-.^_`|~09az=x\ndone\nleft 0\n" },
    /* Versions. */
    { "GET / HTTP/1.0\r\n\r\n", " method=GET target=/ path=/ 1.0 closes\ndone\nleft 0\n" },
    { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
      " method=GET target=/ path=/ 1.0 keeps\nConnection=Keep-Alive\ndone\nleft 0\n" },
    { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n",
      " method=GET target=/ path=/ 1.0 closes\nConnection=keep-alive, "
      "close\nUpgrade=x\nExpect=100-continue\ndone\n"
      "left 0\n" },
    { "GET / HTTP/1.7\r\nHost: a\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 keeps\nHost=a\ndone\nleft 0\n" },
    { "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 closes\nHost=a\nConnection=x, CLOSE\ndone\nleft 0\n" },
    { "GET / HTTP/1.1\r\nConnection: a\r\nConnection: b,,close\r\nHost: a\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 closes\nConnection=a\nConnection=b,,close\nHost=a\ndone\nleft "
      "0\n" },
    /* Forms of targets. */
    { "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      " method=OPTIONS target=* host=a 1.1 asterisk keeps\nHost=a\ndone\nleft 0\n" },
    { "GET http://b:8080/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
      " method=GET target=http://b:8080/x?y host=b:8080 path=/x?y 1.1 absolute keeps\nHost=a\ndone\nleft "
      "0\n" },
    { "GET HTTPS://b HTTP/1.1\r\nHost:\r\n\r\n",
      " method=GET target=HTTPS://b host=b 1.1 absolute https keeps\nHost=\ndone\nleft 0\n" },
    { "GET http://b?q HTTP/1.1\r\nHost: b\r\n\r\n",
      " method=GET target=http://b?q host=b path=?q 1.1 absolute keeps\nHost=b\ndone\nleft 0\n" },
    { "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\nabc",
      " method=CONNECT target=b:443 host=b:443 1.1 authority keeps\nHost=b:443\ndone\nleft 3\n" },
    { "CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n",
      " method=CONNECT target=[::1]:443 host=[::1]:443 1.1 authority keeps\nHost=x\ndone\nleft 0\n" },
    /* Hosts. */
    { "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n",
      " method=GET target=/ host=[2001:db8::1]:8080 path=/ 1.1 keeps\nHost=[2001:db8::1]:8080\ndone\nleft "
      "0\n" },
    { "GET / HTTP/1.1\r\nHost: a_b.%C3%A9:\r\n\r\n",
      " method=GET target=/ host=a_b.%C3%A9: path=/ 1.1 keeps\nHost=a_b.%C3%A9:\ndone\nleft 0\n" },
    { "GET / HTTP/1.1\r\nHost: 10.0.0.1:65535 \r\n\r\n",
      " method=GET target=/ host=10.0.0.1:65535 path=/ 1.1 keeps\nHost=10.0.0.1:65535\ndone\nleft 0\n" },
    { "GET / HTTP/1.1\r\nHost:\r\n\r\n", " method=GET target=/ path=/ 1.1 keeps\nHost=\ndone\nleft 0\n" },
    /* Bodies, announced. */
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET",
      " method=POST target=/ host=a path=/ 1.1 length keeps 3\nHost=a\nContent-Length=3\n[abc]\ndone\nleft "
      "3\n" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\nG",
      " method=POST target=/ host=a path=/ 1.1 keeps 0\nHost=a\nContent-Length=000\ndone\nleft 1\n" },
    { "FROBNICATE / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: ,Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
      " method=FROBNICATE target=/ host=a path=/ 1.1 chunked "
      "keeps\nHost=a\ntransfer-encoding=,Chunked\n[a]\ndone\n"
      "left 0\n" },
    { "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\nx",
      " method=PUT target=/ host=a path=/ 1.1 length continue keeps 1\nHost=a\nContent-Length=1\n"
      "Expect=100-Continue\n[x]\ndone\nleft 0\n" },
    { "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
      " method=PUT target=/ host=a path=/ 1.1 keeps\nHost=a\nExpect=100-continue\ndone\nleft 0\n" },
    { "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\n\r\n",
      " method=PUT target=/ host=a path=/ 1.1 expects keeps\nHost=a\nExpect=100-continue, x\ndone\nleft "
      "0\n" },
    /* Upgrades: what follows the head is for whoever answers. */
    { "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x85",
      " method=GET target=/ host=a path=/ 1.1 keeps upgrade\nHost=a\nConnection=keep-alive, Upgrade\n"
      "Upgrade=websocket\ndone\nleft 2\n" },
    { "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
      " method=GET target=/ host=a path=/ 1.1 keeps\nHost=a\nUpgrade=websocket\ndone\nleft 0\n" },
};

TEST(right_requests_are_parsed_however_they_are_cut)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        EXPECT_STR(test_http_request(good[i].bytes), good[i].trace);
}

/* ---- What is wrong ---- */

static const struct {
    const char *bytes, *said;
} bad[] = {
    /* The request line: RFC 9112, 3. */
    { "\x16\x03\x01", "400 line 1 of the head, byte 1: the byte 0x16 in the first place of a method" },
    { " GET / HTTP/1.1\r\n", "400 line 1 of the head, byte 1: a blank in the first place of a method" },
    { "\nGET / HTTP/1.1\r\n", "400 line 1 of the head, byte 1: a line feed without a carriage return" },
    { "\r\n\nGET / HTTP/1.1\r\n", "400 line 2 of the head, byte 1: a line feed without a carriage return" },
    { "\rGET / HTTP/1.1\r\n", "400 line 1 of the head, byte 1: a carriage return without a line feed" },
    { "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", "400 line 5 of the head, byte 1: more empty lines" },
    { "G\x01T / HTTP/1.1\r\n", "400 line 1 of the head, byte 2: the byte 0x01 in a method" },
    { "G@T / HTTP/1.1\r\n", "400 line 1 of the head, byte 2: '@' in a method" },
    { "GET\r\n", "400 line 1 of the head, byte 4: the line ends too early" },
    { "GET \r\n", "400 line 1 of the head, byte 5: the line ends too early" },
    { "GET  / HTTP/1.1\r\n", "400 line 1 of the head, byte 5: a blank in a target" },
    { "GET\t/ HTTP/1.1\r\n", "400 line 1 of the head, byte 4: a tab in a method" },
    { "GET /\r\n", "400 line 1 of the head, byte 6: the line ends too early" },
    { "GET /\n", "400 line 1 of the head, byte 6: a line feed without a carriage return" },
    { "GET /\rx HTTP/1.1\r\n", "400 line 1 of the head, byte 6: a carriage return without a line feed" },
    { "GET /\x80 HTTP/1.1\r\n", "400 line 1 of the head, byte 6: the byte 0x80 in a target" },
    { "GET /\x7f HTTP/1.1\r\n", "400 line 1 of the head, byte 6: the byte 0x7f in a target" },
    { "GET /#a HTTP/1.1\r\n", "400 line 1 of the head, byte 6: '#' in a target" },
    { "GET /\"a HTTP/1.1\r\n", "400 line 1 of the head, byte 6: '\"' in a target" },
    { "GET / \r\n", "400 line 1 of the head, byte 7: the line ends too early" },
    { "GET /  HTTP/1.1\r\n", "400 line 1 of the head, byte 7: a blank in the place of HTTP/1.1" },
    { "GET / http/1.1\r\n", "400 line 1 of the head, byte 7: 'h' in the place of HTTP/1.1" },
    { "GET / HTTP/1.\r\n\r\n", "400 line 1 of the head, byte 7: 'H' in the place of HTTP/1.1" },
    { "GET / HTTP/11\r\n\r\n", "400 line 1 of the head, byte 7: 'H' in the place of HTTP/1.1" },
    { "GET / HTTP/1.1 \r\n",
      "400 line 1 of the head, byte 15: a blank in a request line behind its version" },
    { "GET / HTTP/1.10\r\n", "400 line 1 of the head, byte 15: '0' in a request line behind its version" },
    { "GET / HTTP/1.1\n", "400 line 1 of the head, byte 15: a line feed without a carriage return" },
    { "GET / HTTP/1.1\r\r\n", "400 line 1 of the head, byte 15: a carriage return without a line feed" },
    { "GET / HTTP/2.0\r\n", "505 HTTP/2.0 is not spoken here" },
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP/2.0 is not spoken here" },
    { "GET / HTTP/0.9\r\n", "505 HTTP/0.9 is not spoken here" },
    { "GET / HTTP/2.0 \r\n", "400 line 1 of the head, byte 15: a blank in a request line" },
    /* Targets: RFC 9112, 3.2. */
    { "GET a HTTP/1.1\r\n", "400 line 1 of the head, byte 5: a target that is neither a path" },
    { "GET ftp://a/ HTTP/1.1\r\n", "400 line 1 of the head, byte 5: a target that is neither a path" },
    { "GET http:/a HTTP/1.1\r\n", "400 line 1 of the head, byte 5: a target that is neither a path" },
    { "GET http:///a HTTP/1.1\r\n", "400 line 1 of the head, byte 5: a target whose host is none" },
    { "GET http://u:p@a/ HTTP/1.1\r\n", "400 line 1 of the head, byte 5: a target whose host is none" },
    { "GET http://a:65536/ HTTP/1.1\r\n", "400 line 1 of the head, byte 5: a target whose host is none" },
    { "GET * HTTP/1.1\r\n", "400 line 1 of the head, byte 5: the target * of a method that is not OPTIONS" },
    { "CONNECT / HTTP/1.1\r\n", "400 line 1 of the head, byte 9: CONNECT to what is not HOST:PORT" },
    { "CONNECT a HTTP/1.1\r\n", "400 line 1 of the head, byte 9: CONNECT to what is not HOST:PORT" },
    { "CONNECT a: HTTP/1.1\r\n", "400 line 1 of the head, byte 9: CONNECT to what is not HOST:PORT" },
    { "CONNECT [::1] HTTP/1.1\r\n", "400 line 1 of the head, byte 9: CONNECT to what is not HOST:PORT" },
    { "CONNECT http://a:1/ HTTP/1.1\r\n",
      "400 line 1 of the head, byte 9: CONNECT to what is not HOST:PORT" },
    /* Fields: RFC 9112, 5. */
    { "GET / HTTP/1.1\r\n Host: a\r\n",
      "400 line 2 of the head, byte 1: a line that goes on with the one before" },
    { "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n", "400 line 3 of the head, byte 1: a line that goes on" },
    { "GET / HTTP/1.1\r\nHost : a\r\n", "400 line 2 of the head, byte 5: a blank in the name" },
    { "GET / HTTP/1.1\r\nHost\t: a\r\n", "400 line 2 of the head, byte 5: a blank in the name" },
    { "GET / HTTP/1.1\r\nHo st: a\r\n", "400 line 2 of the head, byte 3: a blank in the name" },
    { "GET / HTTP/1.1\r\nHost\r\n", "400 line 2 of the head, byte 5: a field without a colon" },
    { "GET / HTTP/1.1\r\n: a\r\n", "400 line 2 of the head, byte 1: a field without a name" },
    { "GET / HTTP/1.1\r\nH\xc3\xb6st: a\r\n", "400 line 2 of the head, byte 2: the byte 0xc3 in the name" },
    { "GET / HTTP/1.1\r\nH(st: a\r\n", "400 line 2 of the head, byte 2: '(' in the name" },
    { "GET / HTTP/1.1\r\nHost: a\n",
      "400 line 2 of the head, byte 8: a line feed without a carriage return" },
    { "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n",
      "400 line 3 of the head, byte 5: a carriage return without" },
    { "GET / HTTP/1.1\r\nHost: a\r\nX: 1234567890\x01\r\n",
      "400 line 3 of the head, byte 14: the byte 0x01" },
    { "GET / HTTP/1.1\r\nHost: a\r\nX: 1234\x7f\r\n", "400 line 3 of the head, byte 8: the byte 0x7f" },
    { "GET / HTTP/1.1\r\nHost: a\r\nX: \xff\x7f\r\n", "400 line 3 of the head, byte 5: the byte 0x7f" },
    { "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 line 3 of the head, byte 1: a line feed without" },
    { "GET / HTTP/1.1\r\nHost: a\r\n\rx\n", "400 line 3 of the head, byte 1: a carriage return without" },
    /* Hosts: RFC 9112, 3.2. */
    { "GET / HTTP/1.1\r\n\r\n", "400 no field Host in HTTP/1.1" },
    { "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 more than one field Host" },
    { "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400 more than one field Host" },
    { "GET http://a/ HTTP/1.1\r\n\r\n", "400 no field Host in HTTP/1.1" },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n", "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: [1111:2222:3333:4444:5555:6666:777.777.777.7777]\r\n\r\n",
      "400 a field Host that is no host" },
    { "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "400 a field Host that is no host" },
    /* Lengths and codings: RFC 9112, 6. */
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
      "400 more than one field Content" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "400 more than one field Content" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n",
      "400 more than one field Content" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
      "400 a Content-Length that is not a number" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "400 a Content-Length that is not a number" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
      "400 a Content-Length that is not a number" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      "400 a Content-Length that is not a number" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
      "400 a Content-Length that is not a number" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\n",
      "400 a Content-Length that is not a number" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n",
      "400 a Content-Length that" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n",
      "400 a Content-Length that" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400 both" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", "400 both" },
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400 Transfer-Encoding in HTTP/1.0" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n",
      "400 a Transfer-Encoding that does not end" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
      "400 a Transfer-Encoding that does not end" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
      "400 a Transfer-Encoding that does" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;a=b\r\n\r\n",
      "400 a Transfer-Encoding that does" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n",
      "400 a Transfer-Encoding that does" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "501 a transfer coding besides" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
      "501 a transfer" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
      "400 a transfer coding behind chunked" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "400 a tra" },
    { "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", "400 CONNECT with a body" },
    { "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "400 CONNECT with a body" },
};

TEST(wrong_requests_are_refused_with_status_and_reason_however_they_are_cut)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *error = test_http_error(&(struct test_http){ .bytes = bad[i].bytes });
        if (!EXPECT(strncmp(error, bad[i].said, strlen(bad[i].said)) == 0))
            test_expect_str(FATE_HERE, error, bad[i].said, bad[i].bytes);
    }
}

TEST(a_nul_is_refused_wherever_it_stands)
{
    static const char request[] = "GET /a HTTP/1.1\r\nHost: abcdefgh\r\nX-Name: value\r\n\r\n";
    char spoilt[sizeof request];

    for (size_t at = 0; at < sizeof request - 1; at++) {
        memcpy(spoilt, request, sizeof request);
        spoilt[at] = '\0';
        const struct test_http input = { .bytes = spoilt, .len = sizeof request - 1 };
        bool is_last_lf = at == sizeof request - 2;
        EXPECT(is_last_lf || strncmp(test_http_error(&input), "400 ", 4) == 0);
    }
}

/* ---- What is between messages ---- */

TEST(messages_behind_one_another_are_taken_one_by_one)
{
    static const char bytes[] = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                                "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n"
                                "\r\nGET /3 HTTP/1.1\r\nHost: c\r\n\r\n";
    size_t at = 0, used, n = sizeof bytes - 1;
    struct fate__http_parser parser;

    fate__http_parser_init(&parser, NULL);
    for (char i = '1'; i <= '3'; i++) {
        enum fate__http_step step;
        fate__http_next_request(&parser);
        do {
            step = fate__http_parse(&parser, bytes + at, n - at, &used);
            at += used;
            if (step == FATE__HTTP_HEAD)
                EXPECT_EQ(fate__http_at(&parser.head.fields, parser.head.path).at[1], i);
        } while (step == FATE__HTTP_HEAD || step == FATE__HTTP_DATA);
        EXPECT_EQ(step, FATE__HTTP_DONE);
    }
    EXPECT_EQ(at, n);
    fate__http_next_request(&parser);
    EXPECT_EQ(fate__http_eof(&parser), FATE__HTTP_IDLE);
    fate__http_parser_done(&parser);
}

TEST(in_the_long_run_nothing_is_allocated)
{
    static const char bytes[] = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    for (int i = 0; i < 4; i++) {
        fate__http_next_request(&parser);
        if (i == 2)
            test_fail_allocation(1, true);
        EXPECT_EQ(fate__http_parse(&parser, bytes, 7, &used), FATE__HTTP_MORE);
        EXPECT_EQ(fate__http_parse(&parser, bytes + 7, sizeof bytes - 1 - 7, &used), FATE__HTTP_HEAD);
        EXPECT_EQ(fate__http_parse(&parser, NULL, 0, &used), FATE__HTTP_DONE);
    }
    test_fail_allocation(0, false);
    fate__http_parser_done(&parser);
}

TEST(after_an_error_nothing_is_parsed)
{
    static const char good_one[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    EXPECT_EQ(fate__http_parse(&parser, "\1", 1, &used), FATE__HTTP_ERROR);
    EXPECT_EQ(used, 0);
    EXPECT_EQ(parser.problem, FATE__HTTP_WRONG);
    EXPECT_EQ(fate__http_parse(&parser, good_one, sizeof good_one - 1, &used), FATE__HTTP_ERROR);
    fate__http_next_request(&parser);
    EXPECT_EQ(fate__http_parse(&parser, good_one, sizeof good_one - 1, &used), FATE__HTTP_ERROR);
    EXPECT_EQ(fate__http_eof(&parser), FATE__HTTP_ERROR);
    EXPECT_EQ(parser.status, 400);
    fate__http_parser_done(&parser);
}

TEST(a_head_that_is_kept_outlives_the_bytes)
{
    char bytes[] = "GET /path HTTP/1.1\r\nHost: a\r\n\r\nrest";
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    if (EXPECT_EQ(fate__http_parse(&parser, bytes, sizeof bytes - 1, &used), FATE__HTTP_HEAD) &&
        EXPECT_EQ(fate__http_keep_head(&parser), 0)) {
        memset(bytes, 'x', sizeof bytes);
        EXPECT(
            fate__http_same(fate__http_at(&parser.head.fields, parser.head.path), FATE__HTTP_SLICE("/path")));
        EXPECT(fate__http_find(&parser.head.fields, FATE__HTTP_SLICE("host"), NULL) != NULL);
        EXPECT_EQ(fate__http_keep_head(&parser), 0);
    }
    fate__http_parser_done(&parser);
}

TEST(without_memory_a_head_is_not_kept_and_stays_as_it_was)
{
    static const char bytes[] = "GET /path HTTP/1.1\r\nHost: a\r\n\r\n";
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    EXPECT_EQ(fate__http_parse(&parser, bytes, sizeof bytes - 1, &used), FATE__HTTP_HEAD);
    test_fail_allocation(1, true);
    EXPECT_EQ(fate__http_keep_head(&parser), -12);
    test_fail_allocation(0, false);
    EXPECT_PTR(parser.head.fields.bytes, bytes);
    EXPECT_EQ(fate__http_keep_head(&parser), 0);
    fate__http_parser_done(&parser);
}

TEST(without_memory_a_request_is_answered_503)
{
    static const char bytes[] = "GET /path HTTP/1.1\r\nHost: a\r\n\r\n";

    for (size_t cut = 1; cut < sizeof bytes; cut += 10) {
        struct fate__http_parser parser;
        size_t used;
        fate__http_parser_init(&parser, NULL);
        fate__http_next_request(&parser);
        test_fail_allocation(1, true);
        EXPECT_EQ(fate__http_parse(&parser, bytes, cut, &used), FATE__HTTP_ERROR);
        test_fail_allocation(0, false);
        EXPECT_EQ(parser.problem, FATE__HTTP_NO_MEMORY);
        EXPECT_EQ(parser.status, 503);
        fate__http_parser_done(&parser);
    }
}

TEST(fields_are_found_by_name_in_any_case_one_after_another)
{
    static const char bytes[] = "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nX-B: 3\r\n\r\n";
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    EXPECT_PTR(fate__http_find(&parser.head.fields, FATE__HTTP_SLICE("x-a"), NULL), NULL);
    fate__http_next_request(&parser);
    if (EXPECT_EQ(fate__http_parse(&parser, bytes, sizeof bytes - 1, &used), FATE__HTTP_HEAD)) {
        const struct fate__http_fields *fields = &parser.head.fields;
        const struct fate__http_field *field = fate__http_find(fields, FATE__HTTP_SLICE("X-a"), NULL);
        EXPECT_PTR(field, &fields->list[1]);
        field = fate__http_find(fields, FATE__HTTP_SLICE("X-a"), field);
        EXPECT_PTR(field, &fields->list[2]);
        EXPECT_PTR(fate__http_find(fields, FATE__HTTP_SLICE("X-a"), field), NULL);
        EXPECT_PTR(fate__http_find(fields, FATE__HTTP_SLICE("x-c"), NULL), NULL);
    }
    fate__http_parser_done(&parser);
}

static void parse_nothing(void *arg)
{
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    fate__http_parse(&parser, "G", 1, &used);
}

static void begin_too_early(void *arg)
{
    struct fate__http_parser parser;

    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    fate__http_next_request(&parser);
}

static void change_kind(void *arg)
{
    static const char bytes[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    fate__http_parse(&parser, bytes, sizeof bytes - 1, &used);
    fate__http_next_response(&parser, FATE__HTTP_GET);
}

TEST(parsing_what_has_not_begun_and_beginning_too_early_stop_the_program)
{
    EXPECT_STOP(change_kind, NULL, "parser->is_response == is_response");
    EXPECT_STOP(parse_nothing, NULL, "FATE__HTTP_AT_NOTHING");
    EXPECT_STOP(begin_too_early, NULL, "FATE__HTTP_AT_END");
}
