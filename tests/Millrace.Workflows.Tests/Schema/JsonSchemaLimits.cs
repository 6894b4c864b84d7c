using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Tests.Schema;

public sealed class JsonSchemaLimits
{
    [Theory]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}""")]
    [InlineData("""{"not":{"$ref":"#"}}""")]
    [InlineData("""{"$dynamicAnchor":"a","if":{"$dynamicRef":"#a"}}""")]
    public void A_reference_that_leads_back_to_itself_is_an_error_with_a_name(string schema)
    {
        var compiled = JsonSchema.Compile(JsonText.Parse(schema));

        Assert.False(compiled.IsValid(1));
        Assert.Equal(SchemaLimits.Depth, compiled.Validate(1)[0].Keyword);
    }

    [Fact]
    public void A_recursive_schema_follows_an_instance_of_any_depth_that_can_be_read()
    {
        var schema = JsonSchema.Compile(JsonText.Parse("""{"anyOf":[{"type":"array","items":{"$ref":"#"}},{"type":"integer"}]}"""));
        var text = new string('[', JsonText.DepthMax - 1) + "1" + new string(']', JsonText.DepthMax - 1);

        Assert.True(schema.IsValid(JsonText.Parse(text)));
    }

    [Fact]
    public void An_instance_deeper_than_any_text_is_refused_by_name_and_not_by_the_stack()
    {
        var schema = JsonSchema.Compile(JsonText.Parse("""{"items":{"$ref":"#"}}"""));
        var instance = Json.EmptyArray;
        for (var i = 0; i < 10_000; i++) instance = Json.Array(instance);

        Assert.Equal(SchemaLimits.Depth, Assert.Single(schema.Validate(instance)).Keyword);
    }

    [Fact]
    public void Schemas_that_multiply_are_stopped_by_their_steps()
    {
        var schemas = new JsonObject.Builder();
        for (var i = 0; i < 40; i++) schemas.Set($"d{i}", JsonText.Parse($$"""{"allOf":[{"$ref":"#/$defs/d{{i + 1}}"},{"$ref":"#/$defs/d{{i + 1}}"}]}"""));
        schemas.Set("d40", true);
        var compiled = JsonSchema.Compile(Json.Object("$defs", schemas.Build(), "$ref", "#/$defs/d0"));

        Assert.Equal(SchemaLimits.Steps, Assert.Single(compiled.Validate(1)).Keyword);
    }

    [Fact]
    public void A_match_that_takes_too_long_is_an_error_with_a_name()
    {
        var schema = JsonSchema.Compile(JsonText.Parse("""{"properties":{"a":{"pattern":"^(a+)+$"}}}"""));

        var error = Assert.Single(schema.Validate(Json.Object("a", new string('a', 60) + "!")));

        Assert.Equal((SchemaLimits.Regex, "/a"), (error.Keyword, error.Instance));
    }

    [Fact]
    public void A_limit_reached_under_not_refuses_too()
    {
        var schema = JsonSchema.Compile(JsonText.Parse("""{"not":{"$ref":"#/$defs/a"},"$defs":{"a":{"$ref":"#/$defs/a"}}}"""));

        Assert.False(schema.IsValid(1));
    }

    [Fact]
    public void After_a_limit_the_next_validation_starts_afresh()
    {
        var endless = JsonSchema.Compile(JsonText.Parse("""{"$ref":"#"}"""));
        var plain = JsonSchema.Compile(JsonText.Parse("""{"type":"integer"}"""));

        Assert.False(endless.IsValid(1));
        Assert.True(plain.IsValid(1));
    }

    [Fact]
    public void A_schema_that_nests_too_deep_is_refused()
    {
        var schema = Json.True;
        for (var i = 0; i < SchemaLimits.NestingMax + 1; i++) schema = Json.Object("not", schema);

        Assert.Contains("nests deeper", Assert.Throws<JsonSchemaException>(() => JsonSchema.Compile(schema)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_with_too_many_values_is_refused()
    {
        var schema = Json.Object("enum", JsonArray.Of(new Json[SchemaLimits.ValuesMax]));

        Assert.Contains("more than", Assert.Throws<JsonSchemaException>(() => JsonSchema.Compile(schema)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_chain_of_references_costs_no_stack_when_compiled()
    {
        var schemas = new JsonObject.Builder();
        for (var i = 0; i < 20_000; i++) schemas.Set($"d{i}", Json.Object("$ref", $"#/$defs/d{i + 1}"));
        schemas.Set("d20000", true);

        var schema = JsonSchema.Compile(Json.Object("$defs", schemas.Build(), "$ref", "#/$defs/d19000"));

        Assert.True(schema.IsValid(1));
    }

    [Theory]
    [InlineData("a", SchemaLimits.PatternCharactersMax + 1)]
    [InlineData("\\p{L}", 1_000)]
    public void A_pattern_that_is_too_long_or_becomes_too_long_is_refused(string piece, int times)
    {
        var schema = Json.Object("pattern", string.Concat(Enumerable.Repeat(piece, times)));

        Assert.Equal("/pattern", Assert.Throws<JsonSchemaException>(() => JsonSchema.Compile(schema)).Pointer);
    }
}
