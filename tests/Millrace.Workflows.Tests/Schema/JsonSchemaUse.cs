using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Tests.Schema;

public sealed class JsonSchemaUse
{
    private const string Order =
        """
        {"type":"object","required":["id","lines"],"additionalProperties":false,
         "properties":{"id":{"type":"string","pattern":"^[a-z0-9-]+$","maxLength":40},"total":{"type":"number","minimum":0,"multipleOf":0.01},
           "state":{"enum":["new","paid","sent"]},"at":{"type":"string","format":"date-time"},
           "lines":{"type":"array","minItems":1,"items":{"$ref":"#/$defs/line"}}},
         "$defs":{"line":{"type":"object","required":["sku","count"],"properties":{"sku":{"type":"string"},"count":{"type":"integer","minimum":1}},
           "anyOf":[{"properties":{"note":{"type":"string"}}},{"required":["gift"]}],"unevaluatedProperties":false}}}
        """;

    private const string Instance =
        """{"id":"a-1","total":19.99,"state":"paid","at":"2030-01-31T12:00:00Z","lines":[{"sku":"x","count":2},{"sku":"y","count":1,"note":"n"}]}""";

    private static readonly JsonSchema Schema = JsonSchema.Compile(JsonText.Parse(Order), new() { AssertFormats = true });

    [Fact]
    public void A_valid_instance_costs_no_memory()
    {
        var instance = JsonText.Parse(Instance);
        for (var i = 0; i < 100; i++) Assert.True(Schema.IsValid(instance));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Schema.IsValid(instance);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void One_schema_serves_many_threads()
    {
        var valid = JsonText.Parse(Instance);
        var invalid = JsonText.Parse(Instance.Replace("\"count\":2", "\"count\":0,\"extra\":1", StringComparison.Ordinal));
        var expected = Schema.Validate(invalid);

        Parallel.For(0, 400, new() { MaxDegreeOfParallelism = 4 }, _ =>
        {
            Assert.True(Schema.IsValid(valid));
            Assert.False(Schema.IsValid(invalid));
            Assert.Equal(expected, Schema.Validate(invalid));
        });
    }

    [Fact]
    public void Formats_are_annotations_unless_asked_for()
    {
        var source = Json.Object("format", "ipv4");

        Assert.True(JsonSchema.Compile(source).IsValid("x"));
        Assert.False(JsonSchema.Compile(source, new() { AssertFormats = true }).IsValid("x"));
        Assert.True(JsonSchema.Compile(Json.Object("format", "unknown"), new() { AssertFormats = true }).IsValid("x"));
    }

    [Fact]
    public void References_lead_into_documents_that_were_given_and_to_ids_inside_them()
    {
        var documents = new Dictionary<string, Json>
        {
            ["https://example.com/types"] = JsonText.Parse("""{"$defs":{"name":{"$id":"https://example.com/name","type":"string"}}}"""),
        };
        var schema = JsonSchema.Compile(Json.Object("$ref", "https://example.com/name"), new() { Documents = documents });

        Assert.True(schema.IsValid("a"));
        Assert.False(schema.IsValid(1));
    }

    [Fact]
    public void The_source_is_kept()
    {
        var source = JsonText.Parse("""{"type":"integer"}""");

        Assert.Equal(source, JsonSchema.Compile(source).Source);
    }

    [Theory]
    [InlineData("0.3", "0.1", true)]
    [InlineData("19.99", "0.01", true)]
    [InlineData("0.35", "0.1", false)]
    [InlineData("1e308", "3", false)]
    [InlineData("1e308", "0.5", true)]
    [InlineData("3e-20", "1e-20", true)]
    [InlineData("1e-21", "1e-20", false)]
    [InlineData("0", "0.1", true)]
    public void Multiples_are_decimal(string number, string divisor, bool holds)
    {
        var schema = JsonSchema.Compile(Json.Object("multipleOf", JsonText.Parse(divisor)));

        Assert.Equal(holds, schema.IsValid(JsonText.Parse(number)));
    }

    [Fact]
    public void Integers_beyond_doubles_keep_apart()
    {
        var schema = JsonSchema.Compile(Json.Object("const", Json.Of(9007199254740993L)));

        Assert.True(schema.IsValid(Json.Of(9007199254740993L)));
        Assert.False(schema.IsValid(Json.Of(9007199254740995L)));
        Assert.False(schema.IsValid(Json.Of(9007199254740992L)));
        Assert.False(JsonSchema.Compile(Json.Object("maximum", Json.Of(9007199254740992L))).IsValid(Json.Of(9007199254740993L)));
        Assert.False(JsonSchema.Compile(Json.Object("multipleOf", 2)).IsValid(Json.Of(9007199254740993L)));
        Assert.True(JsonSchema.Compile(Json.Object("uniqueItems", true)).IsValid(Json.Array(Json.Of(9007199254740993L), Json.Of(9007199254740992L))));
    }

    [Fact]
    public void Numbers_that_jq_can_make_and_json_cannot_lie_within_no_bounds()
    {
        Assert.False(JsonSchema.Compile(Json.Object("const", 1)).IsValid(double.NaN));
        Assert.False(JsonSchema.Compile(Json.Object("minimum", 0)).IsValid(double.NaN));
        Assert.False(JsonSchema.Compile(Json.Object("maximum", 0)).IsValid(double.NaN));
        Assert.False(JsonSchema.Compile(Json.Object("multipleOf", 1)).IsValid(double.PositiveInfinity));
        Assert.False(JsonSchema.Compile(Json.Object("multipleOf", 1)).IsValid(double.NaN));
    }
}
