using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Tests.Schema;

public sealed class SchemaShapes
{
    [Theory]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", """["a"]""", Presence.Yes, JsonTypes.String)]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", """["b"]""", Presence.Unknown, JsonTypes.Any)]
    [InlineData("""{"properties":{"a":{}},"additionalProperties":false}""", """["b"]""", Presence.No, JsonTypes.None)]
    [InlineData("""{"properties":{"a":{}},"additionalProperties":{"type":"integer"}}""", """["b"]""", Presence.Yes, JsonTypes.Integer)]
    [InlineData("""{"patternProperties":{"^x-":{"type":"null"}},"additionalProperties":false}""", """["x-a"]""", Presence.Yes, JsonTypes.Null)]
    [InlineData("""{"type":"string"}""", """["a"]""", Presence.No, JsonTypes.None)]
    [InlineData("""{"type":"object"}""", "[0]", Presence.No, JsonTypes.None)]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", """["a","b"]""", Presence.No, JsonTypes.None)]
    [InlineData("""{"properties":{"a":false}}""", """["a"]""", Presence.No, JsonTypes.None)]
    [InlineData("""{"items":{"properties":{"a":{"type":"number"}},"additionalProperties":false}}""", """[null,"a"]""", Presence.Yes, JsonTypes.Number)]
    [InlineData("""{"items":{"properties":{"a":{"type":"number"}},"additionalProperties":false}}""", """[3,"b"]""", Presence.No, JsonTypes.None)]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", "[0]", Presence.Yes, JsonTypes.String)]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", "[1]", Presence.No, JsonTypes.None)]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":{"type":"null"}}""", "[null]", Presence.Yes, JsonTypes.String | JsonTypes.Null)]
    [InlineData("""{"$ref":"#/$defs/n","$defs":{"n":{"properties":{"a":{"type":["string","null"]}}}}}""", """["a"]""", Presence.Yes, JsonTypes.String | JsonTypes.Null)]
    [InlineData("""{"allOf":[{"properties":{"a":{"type":["string","null"]}}},{"properties":{"a":{"type":"string"}}}]}""", """["a"]""", Presence.Yes, JsonTypes.String)]
    [InlineData("""{"anyOf":[{"properties":{"a":{"type":"string"}}},{"type":"null"}]}""", """["a"]""", Presence.Yes, JsonTypes.String)]
    [InlineData("""{"oneOf":[{"properties":{"a":{}},"additionalProperties":false},{"type":"null"}]}""", """["b"]""", Presence.No, JsonTypes.None)]
    [InlineData("""{"if":{"required":["b"]},"then":{"properties":{"a":{"type":"string"}}}}""", """["a"]""", Presence.Yes, JsonTypes.Any)]
    [InlineData("""{"allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}""", """["a"]""", Presence.Yes, JsonTypes.Any)]
    [InlineData("""{"allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}""", """["b"]""", Presence.No, JsonTypes.None)]
    [InlineData("""{"additionalProperties":true,"unevaluatedProperties":false}""", """["b"]""", Presence.Unknown, JsonTypes.Any)]
    [InlineData("""{"contains":{"type":"string"},"unevaluatedItems":false}""", "[0]", Presence.Unknown, JsonTypes.Any)]
    [InlineData("""{"const":"x"}""", "[]", Presence.Yes, JsonTypes.String)]
    [InlineData("""{"enum":[1,2.5,null]}""", "[]", Presence.Yes, JsonTypes.Number | JsonTypes.Null)]
    [InlineData("""{"$ref":"#"}""", """["a"]""", Presence.Unknown, JsonTypes.Any)]
    [InlineData("true", "[]", Presence.Yes, JsonTypes.Any)]
    [InlineData("false", "[]", Presence.No, JsonTypes.None)]
    public void Tell_what_may_stand_at_a_path(string schema, string path, Presence presence, JsonTypes types)
    {
        var shape = JsonSchema.Compile(JsonText.Parse(schema)).ShapeAt(JsonText.Parse(path).AsArray().Span);

        Assert.Equal((presence, types), (shape.Presence, shape.Types));
    }

    [Fact]
    public void Name_the_properties_that_are_declared_there()
    {
        var schema = JsonSchema.Compile(JsonText.Parse(
            """{"properties":{"user":{"allOf":[{"properties":{"name":{},"gone":false}},{"$ref":"#/$defs/more"}]}},"$defs":{"more":{"properties":{"mail":{}}}}}"""));

        Assert.Equal(["mail", "name"], schema.ShapeAt("user").Properties);
        Assert.Empty(schema.ShapeAt("user", "name").Properties);
    }

    [Fact]
    public void Of_schemas_that_multiply_are_given_up_in_time()
    {
        var schemas = new JsonObject.Builder();
        for (var i = 0; i < 50; i++) schemas.Set($"d{i}", JsonText.Parse($$"""{"anyOf":[{"$ref":"#/$defs/d{{i + 1}}"},{"$ref":"#/$defs/d{{i + 1}}"}]}"""));
        schemas.Set("d50", Json.Object("type", "string"));
        var schema = JsonSchema.Compile(Json.Object("$defs", schemas.Build(), "$ref", "#/$defs/d0"));

        Assert.Equal(Presence.Unknown, schema.ShapeAt("a").Presence);
    }
}
