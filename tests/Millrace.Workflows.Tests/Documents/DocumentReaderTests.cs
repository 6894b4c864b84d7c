using System.Text;
using Millrace.Jq;
using Millrace.Workflows.Documents;

namespace Millrace.Workflows.Tests.Documents;

public sealed class DocumentReaderTests
{
    private static Json Read(string source) => DocumentReader.Read(source).Value;

    private static UnreadableException Refused(string source) => Assert.Throws<UnreadableException>(() => DocumentReader.Read(source));

    [Theory]
    [InlineData("", "null")]
    [InlineData("~", "null")]
    [InlineData("null", "null")]
    [InlineData("nUll", "\"nUll\"")]
    [InlineData("true", "true")]
    [InlineData("False", "false")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("no", "\"no\"")]
    [InlineData("on", "\"on\"")]
    [InlineData("off", "\"off\"")]
    [InlineData("1", "1")]
    [InlineData("+1", "1")]
    [InlineData("-12", "-12")]
    [InlineData("007", "7")]
    [InlineData("0x1F", "31")]
    [InlineData("0o17", "15")]
    [InlineData("1.5", "1.5")]
    [InlineData(".5", "0.5")]
    [InlineData("1.", "1")]
    [InlineData("-1e3", "-1000")]
    [InlineData("1_000", "\"1_000\"")]
    [InlineData("1.0.3", "\"1.0.3\"")]
    [InlineData("12:30:45", "\"12:30:45\"")]
    [InlineData("2026-11-20", "\"2026-11-20\"")]
    [InlineData("0b11", "\"0b11\"")]
    [InlineData("+", "\"+\"")]
    [InlineData(".", "\".\"")]
    [InlineData("e5", "\"e5\"")]
    [InlineData("'1'", "\"1\"")]
    [InlineData("\"true\"", "\"true\"")]
    [InlineData("! 5", "\"5\"")]
    [InlineData("!!str 5", "\"5\"")]
    [InlineData("!!int 5", "5")]
    [InlineData("!!float 5", "5")]
    [InlineData("!!null ''", "null")]
    public void Scalars_mean_what_the_core_schema_of_YAML_1_2_says(string text, string json) =>
        Assert.Equal(JsonText.Parse(json), Read($"x: {text}\n")["x"]);

    [Fact]
    public void JSON_with_tabs_and_escapes_reads_the_same_as_with_the_JSON_reader()
    {
        const string Source = "{\n\t\"a\": \"x\\/y\\ud83d\\ude00\\n\",\n\t\"b\": [1, 2.5, true,\n\t\tnull, {}], \"c\":{\"d\":[]}\n}\n";
        Assert.Equal(JsonText.Parse(Source).ToString(), Read(Source).ToString());
    }

    [Fact]
    public void Keys_that_are_no_strings_become_the_text_they_were_written_as() =>
        Assert.Equal("""{"1":"a","true":"b","1.50":"c","~":"d"}""", Read("1: a\ntrue: b\n1.50: c\n~: d\n").ToString());

    [Fact]
    public void An_alias_stands_for_its_anchor() =>
        Assert.Equal("""{"a":{"x":[1]},"b":{"x":[1]}}""", Read("a: &a\n  x: [1]\nb: *a\n").ToString());

    [Fact]
    public void An_explicit_member_wins_over_a_merged_one_and_an_earlier_merged_one_over_a_later()
    {
        const string Source = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  y: 3\n  <<: [*a, *b]\n  z: 4\n";
        Assert.Equal("""{"y":3,"x":1,"z":4}""", Read(Source)["c"].ToString());
    }

    [Fact]
    public void A_quoted_merge_key_is_an_ordinary_key() => Assert.Equal("""{"<<":1}""", Read("'<<': 1\n").ToString());

    [Fact]
    public void A_byte_order_mark_is_passed_over() => Assert.Equal("""{"a":1}""", Read("\uFEFFa: 1\n").ToString());

    [Fact]
    public void An_error_behind_an_alias_is_shown_where_the_text_stands()
    {
        var (_, map) = DocumentReader.Read("a: &a\n  x: 5\nb: *a\n");
        Assert.Equal((2, 6), (map.Value("/b/x").Line, map.Value("/b/x").Column));
        Assert.Equal((3, 1), (map.Key("/b").Line, map.Key("/b").Column));
    }

    [Fact]
    public void Aliases_that_multiply_are_refused_before_they_do()
    {
        var bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 10; i++) bomb.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        var refused = Refused(bomb.ToString());
        Assert.Equal("yaml.limit", refused.Code);
        Assert.Equal(5, refused.At.Line);
    }

    [Fact]
    public void Nesting_beyond_the_limit_is_refused_where_it_is_reached()
    {
        var refused = Refused(new string('[', 5000));
        Assert.Equal(("yaml.limit", DocumentReader.DepthMax + 2), (refused.Code, refused.At.Column));
    }

    [Fact]
    public void Fault_25_nesting_behind_aliases_counts_as_nesting()
    {
        var open = new string('[', 90);
        var close = new string(']', 90);
        var refused = Refused($"a: &a {open}{close}\nb: &b {open}*a{close}\nc: {open}*b{close}\n");
        Assert.Equal(("yaml.limit", 3), (refused.Code, refused.At.Line));
    }

    [Fact]
    public void Keys_too_long_for_a_pointer_are_refused_also_behind_aliases()
    {
        var key = new string('k', 1500);
        Assert.Equal(3, Refused($"a: &a {{{key}: 1}}\nb: &b {{{key}: *a}}\nc: {{{key}: *b}}\n").At.Line);
        Assert.Equal("yaml.limit", Refused("{" + new string('k', DocumentReader.PathMax) + ": 1}\n").Code);
    }

    [Fact]
    public void Nesting_up_to_the_limit_is_read() =>
        Assert.True(Read(new string('[', DocumentReader.DepthMax) + new string(']', DocumentReader.DepthMax)).IsArray);

    [Fact]
    public void Too_many_values_are_refused() =>
        Assert.Equal("yaml.limit", Refused("[" + string.Join(',', Enumerable.Repeat("1", DocumentReader.ValuesMax + 1)) + "]").Code);

    [Fact]
    public void A_source_beyond_the_limit_of_bytes_is_refused_unread() =>
        Assert.Equal("yaml.limit", Refused("# " + new string('é', WorkflowLoader.SourceBytesMax / 2) + "\na: 1\n").Code);

    [Theory]
    [InlineData("[", 1, 2)]
    [InlineData("{a: [1, 2\nb: 3\n", 2, 2)]
    [InlineData("a: \"\\ud800\"\n", 1, 4)]
    [InlineData("a: x\0y\n", 1, 6)]
    [InlineData("%YAML 3.0\n---\na: 1\n", 1, 1)]
    [InlineData("a: 1\n...\nb: 2\n", 3, 1)]
    public void Text_that_is_no_YAML_is_refused_where_it_breaks(string source, int line, int column)
    {
        var refused = Refused(source);
        Assert.StartsWith("yaml.", refused.Code, StringComparison.Ordinal);
        Assert.Equal((line, column), (refused.At.Line, refused.At.Column));
    }

    [Fact]
    public void No_beginning_of_a_document_makes_the_reader_fail_otherwise_than_by_refusing()
    {
        const string Source = "document: &d {dsl: '1.0.3', \"n\\u00e9\": [a, *d]}\ndo:\n- a: !!str |+2\n    text ${ .x }\n  ? b\n  : >-\n    folded\n\t\n# end\n...\n---\n- %\n";
        for (var length = 0; length <= Source.Length; length++)
        {
            var source = Source[..length];
            var result = WorkflowLoader.Load(source);
            Assert.Null(result.Workflow);
            Assert.NotEmpty(result.Diagnostics);
        }
    }
}
