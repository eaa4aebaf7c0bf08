# Counts the words of a text.
def handler(event:, context:)
  counts = event["text"].downcase.scan(/\p{L}+/).tally
  { language: "Ruby #{RUBY_VERSION}", words: counts.sort_by { |word, count| [-count, word] }.to_h }
end
