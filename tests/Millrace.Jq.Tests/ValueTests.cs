namespace Millrace.Jq.Tests;

public class ValueTests
{
    [Theory]
    [InlineData("1", "1")]
    [InlineData("-0", "-0")]
    [InlineData("1.0", "1.0")]
    [InlineData("100e-2", "1.00")]
    [InlineData("1e3", "1E+3")]
    [InlineData("0.00001", "0.00001")]
    [InlineData("1e-7", "1E-7")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("0.12345678901234567890123456789", "0.12345678901234567890123456789")]
    [InlineData("9E999999999", "9E+999999999")]
    [InlineData("1e1000000000", "1.7976931348623157e+308")]
    [InlineData("9007199254740993", "9007199254740993")]
    public void A_number_that_is_only_passed_on_keeps_its_digits(string text, string printed) => Assert.Equal(printed, Run.Text(".", text));

    [Theory]
    [InlineData("1e15", "1000000000000000")]
    [InlineData("1e16", "1e+16")]
    [InlineData("1e17", "1e+17")]
    [InlineData("1e18", "1e+18")]
    [InlineData("123456789012345680000", "123456789012345680000")]
    [InlineData("0.0001", "0.0001")]
    [InlineData("0.00001", "1e-05")]
    [InlineData("1e-7", "1e-07")]
    [InlineData("1e100", "1e+100")]
    [InlineData("-1.5e300", "-1.5e+300")]
    [InlineData("0.1", "0.1")]
    [InlineData("13911860366432393", "13911860366432392")]
    [InlineData("3.0", "3")]
    [InlineData("1e309", "1.7976931348623157e+308")]
    public void A_number_that_was_computed_prints_as_a_double(string text, string printed) => Assert.Equal(printed, Run.Text(". + 0", text));

    [Fact]
    public void Not_a_number_prints_as_null() => Assert.Equal("[null,1.7976931348623157e+308,-1.7976931348623157e+308]", Run.Text("[nan, infinite, -infinite]"));

    [Theory]
    [InlineData("100000000000000000000", "100000000000000000001", false)]
    [InlineData("1.10", "1.1", true)]
    [InlineData("0.1", "0.10000000000000001", true)]
    public void Literals_compare_by_their_digits(string left, string right, bool equal) => Assert.Equal(equal, JsonText.Parse(left) == JsonText.Parse(right));

    [Fact]
    public void Members_keep_the_order_in_which_they_were_set()
    {
        Assert.Equal("""{"b":1,"a":2,"c":3}""", Run.Text("{b: 1} + {a: 2} | .c = 3"));
        Assert.Equal("""{"b":9,"a":2}""", Run.Text("{b: 1, a: 2} | .b = 9"));
        Assert.Equal("""{"a":2,"b":1}""", Run.Text("{b: 1, a: 2} | del(.b) | .b = 1"));
        Assert.Equal("""{"z":3,"y":2}""", Run.Text(".", """{"z":1,"y":2,"z":3}"""));
        Assert.Equal("""["y","z"]""", Run.Text("keys", """{"z":1,"y":2}"""));
        Assert.Equal("""["z","y"]""", Run.Text("keys_unsorted", """{"z":1,"y":2}"""));
    }

    [Fact]
    public void Versions_of_a_large_object_do_not_disturb_one_another()
    {
        var first = JsonObject.Empty;
        for (var i = 0; i < 20; i++) first = first.With($"k{i}", i);
        var left = first.With("left", 1);
        var right = first.With("right", 2).With("k3", 99);
        Assert.Equal((20, 21, 21), (first.Count, left.Count, right.Count));
        Assert.False(first.Has("left"));
        Assert.False(right.Has("left"));
        Assert.True(right.Has("right"));
        Assert.False(left.Has("right"));
        left.TryGet("k3", out var old);
        right.TryGet("k3", out var changed);
        Assert.Equal((3, 99), (old.AsNumber(), changed.AsNumber()));
        Assert.False(first.Without("k3").Has("k3"));
    }

    [Fact]
    public void Members_of_a_large_object_set_anew_are_seen_in_that_version_alone()
    {
        var random = new Random(1);
        var version = JsonObject.Empty;
        var plain = new Dictionary<string, double>();
        var versions = new List<(JsonObject Object, Dictionary<string, double> Expected)>();
        for (var i = 0; i < 3_000; i++)
        {
            var key = $"k{random.Next(120)}";
            if (random.Next(20) == 0)
            {
                version = version.Without(key);
                plain.Remove(key);
            }
            else
            {
                version = version.With(key, i);
                plain[key] = i;
            }
            if (i % 50 == 0) versions.Add((version, new(plain)));
            if (random.Next(100) == 0 && versions.Count > 0) (version, plain) = (versions[^1].Object, new(versions[^1].Expected));
        }
        foreach (var (held, expected) in versions)
        {
            Assert.Equal(expected.OrderBy(e => e.Key, StringComparer.Ordinal), held.Members.ToArray().Select(e => KeyValuePair.Create(e.Key, e.Value.AsNumber())).OrderBy(e => e.Key, StringComparer.Ordinal));
            Assert.Equal(held.Members.ToArray().Select(e => e.Key), held.Select(e => e.Key));
            Assert.All(expected, e => Assert.True(held.TryGet(e.Key, out var value) && value.AsNumber() == e.Value));
        }
    }

    [Fact]
    public void Versions_of_an_array_do_not_disturb_one_another()
    {
        var first = JsonArray.Empty.Append(1).Append(2);
        var left = first.Append(3);
        var right = first.Append(4);
        Assert.Equal("[1,2]|[1,2,3]|[1,2,4]|[1,9,3]", $"{Json.Of(first)}|{Json.Of(left)}|{Json.Of(right)}|{Json.Of(left.With(1, 9))}");
    }

    [Theory]
    [InlineData("\"\\u0000\\u001f\\u007f\\\"\\\\/\\n<é😀\"", "\"\\u0000\\u001f\\u007f\\\"\\\\/\\n<é😀\"")]
    [InlineData("\"\\ud83d\\ude00\"", "\"😀\"")]
    [InlineData("\"\\ud83d\"", "\"\uFFFD\"")]
    public void Strings_are_written_with_no_more_escapes_than_needed(string text, string printed) => Assert.Equal(printed, JsonText.Parse(text).ToString());

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData("[1,2", 1, 5)]
    [InlineData("[1,\n 2,]", 2, 4)]
    [InlineData("{\"a\" 1}", 1, 6)]
    [InlineData("{\"a\":1,}", 1, 8)]
    [InlineData("01", 1, 1)]
    [InlineData("1.", 1, 1)]
    [InlineData("nan", 1, 1)]
    [InlineData("+1", 1, 1)]
    [InlineData("\"a", 1, 3)]
    [InlineData("\"a\tb\"", 1, 3)]
    [InlineData("[1] 2", 1, 5)]
    [InlineData("tru", 1, 1)]
    public void Text_that_is_no_json_is_refused_with_its_place(string text, int line, int column)
    {
        var error = Assert.Throws<JsonTextException>(() => JsonText.Parse(text));
        Assert.Equal((line, column), ((int)error.Line, (int)error.Column));
    }

    [Fact]
    public void Text_is_read_to_a_depth_of_512()
    {
        Assert.True(JsonText.Parse(new string('[', 512) + new string(']', 512)).IsArray);
        Assert.Throws<JsonTextException>(() => JsonText.Parse(new string('[', 513) + new string(']', 513)));
    }

    [Fact]
    public void Indented_text_has_two_spaces_a_level() =>
        Assert.Equal("{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}", System.Text.Encoding.UTF8.GetString(JsonText.ToUtf8(JsonText.Parse("{\"a\":[1,{}],\"b\":[]}"), indented: true)));

    [Fact]
    public void A_value_stays_16_bytes() => Assert.Equal(16, System.Runtime.CompilerServices.Unsafe.SizeOf<Json>());
}
