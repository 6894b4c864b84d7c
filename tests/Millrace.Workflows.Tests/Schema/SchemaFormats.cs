using Millrace.Workflows.Schema.Formats;

namespace Millrace.Workflows.Tests.Schema;

/// <summary>Two edges of each format, for runs without the official suite.</summary>
public sealed class SchemaFormats
{
    [Theory]
    [InlineData("date-time", "2016-12-31T23:59:60Z", "2016-12-31T23:58:60Z")]
    [InlineData("date", "0000-02-29", "2100-02-29")]
    [InlineData("time", "01:29:60+01:30", "12:00:00")]
    [InlineData("duration", "P1Y2M3DT4H5M6S", "P1Y2D")]
    [InlineData("email", "\"a b\"@example.com", "a..b@example.com")]
    [InlineData("email", "a@[IPv6:::1]", "a@[::1]")]
    [InlineData("email", "\"a\\\"b\"@example.com", "\"\"b\"@example.com")]
    [InlineData("email", "\"a\\\\\"@example.com", "\"a\\\"@example.com")]
    [InlineData("idn-email", "δοκιμή@παράδειγμα.gr", "@παράδειγμα.gr")]
    [InlineData("hostname", "a--b.example", "a_b.example")]
    [InlineData("hostname", "xn--bcher-kva.example", "xn--X.example")]
    [InlineData("idn-hostname", "bücher。example", "bücher..example")]
    [InlineData("idn-hostname", "faß.de", "Faß.de")]
    [InlineData("idn-hostname", "אב1.example", "1אב.example")]
    [InlineData("ipv4", "192.0.2.1", "192.0.2.01")]
    [InlineData("ipv6", "::ffff:192.0.2.1", "1::2::3")]
    [InlineData("ipv6", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8::")]
    [InlineData("uri", "urn:a:b", "a/b")]
    [InlineData("uri", "http://[v1.a]:80/?q#f", "http://[::1/")]
    [InlineData("uri-reference", "./a:b", "a%zz")]
    [InlineData("iri", "http://ü.example/π", "http://ü.example/\uE000")]
    [InlineData("iri-reference", "?q=\uE000", "#\uE000")]
    [InlineData("uuid", "01234567-89ab-CDEF-0123-456789abcdef", "0123456789abcdef0123456789abcdef")]
    [InlineData("uri-template", "/a/{?x*,y:3}", "/a/{x")]
    [InlineData("json-pointer", "/a~1b/~0", "/~2")]
    [InlineData("relative-json-pointer", "10#", "01#")]
    [InlineData("regex", "(?<a>.)\\k<a>", "(?P<a>.)")]
    public void Accept_one_and_refuse_the_other(string format, string accepted, string refused)
    {
        var test = Format.Find(format)!.Test;

        Assert.True(test(accepted), accepted);
        Assert.False(test(refused), refused);
    }

    [Theory]
    [InlineData("bücher", "bcher-kva")]
    [InlineData("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye")]
    [InlineData("3年B組金八先生", "3B-ww4c5e180e575a65lsy2b")]
    public void Punycode_leads_there_and_back(string text, string encoded)
    {
        Assert.Equal(encoded, Punycode.Encode(text));
        Assert.Equal(text, Punycode.Decode(encoded));
    }

    [Theory]
    [InlineData("date-time", "2016-:0TZ+.")]
    [InlineData("duration", "P1YMDTHSW")]
    [InlineData("email", "a.@\"\\[]:6IPv\u00e9")]
    [InlineData("idn-email", "a.@\"\\[]\u00e9\ud83d\ude00")]
    [InlineData("hostname", "xn-a0z.X")]
    [InlineData("idn-hostname", "xn-a0.\u00b7\u0375\u05d0\u05f3\u200d\u200c\u0660\u06f0\u30fb\u0300\ud83d\ude00")]
    [InlineData("ipv6", ":1f.0")]
    [InlineData("iri", "a:/?#[]@%1v.\u00e9\ud83d\ude00\ue000")]
    [InlineData("uri-template", "a{}%1,:*.?\u00e9\ud83d")]
    [InlineData("relative-json-pointer", "01/~#")]
    [InlineData("regex", "a(?:<=!>)[^]-{1,}|*+\\kdbpcuxL{}0$^.\ud83d\ude00")]
    public void Answer_for_any_text(string format, string alphabet)
    {
        var test = Format.Find(format)!.Test;
        var random = new Random(1);
        var accepted = 0;

        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Create(random.Next(0, 14), random, (span, r) => r.GetItems(alphabet.AsSpan(), span));
            if (test(text)) accepted++;
        }

        Assert.InRange(accepted, 0, 19_999);
    }
}
